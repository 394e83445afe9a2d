"""HTML to main text and metadata."""

from corpusmill.extract.extractors import extractor

__all__ = ["extractor"]
