"""The Beam pipelines: the only package that imports apache_beam."""
