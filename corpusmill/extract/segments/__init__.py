"""The segmenter: it turns a page's bytes into tables."""
