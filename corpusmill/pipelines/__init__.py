"""The Beam pipelines: no other package imports apache_beam."""
