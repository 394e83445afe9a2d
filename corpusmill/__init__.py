"""corpusmill: raw web crawls, dumps and files in; a pretraining corpus with every decision on record out."""

__version__ = "0.1.0"
