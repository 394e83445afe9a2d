"""A page as tables: the segmenter and what it is made of."""
