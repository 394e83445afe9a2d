"""HTML to main text and metadata."""

from corpusmill.extract.extractors import extractor
from corpusmill.extract.nesting import explodes

__all__ = ["extractor", "warm_up"]


def warm_up() -> None:
    """Compile this package's kernel, or load it from the cache."""
    explodes("")
