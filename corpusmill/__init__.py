"""corpusmill turns raw web crawls, dumps and files into a pretraining corpus, with every decision on record.

    import corpusmill

    outcome = corpusmill.run("recipe.toml", "my-corpus", workers=2)   # books: pages, docs, tokens, dropped
    corpus = corpusmill.open("my-corpus")
    corpus.sql("SELECT rule, count(*) FROM ledger GROUP BY ALL").show()
    for row in corpus.token_rows(split="train"):                     # doc_id, source, n_bytes, ids (numpy)
        ...

The functions of every stage work without Beam: `corpusmill.collect.pages.read_pages`, `corpusmill.filters.signals`,
`corpusmill.filters.rules`, `corpusmill.dedup.local`, `corpusmill.tokenize`.

Users register their own code with `signal`, `edit`, `stage`, `source` and `extractor`.  `Source` is the base class for
the settings of a user's own kind of source.
"""

from typing import TYPE_CHECKING, Any

from corpusmill.extensions import edit, extractor, signal, source, stage

if TYPE_CHECKING:
    from corpusmill.api import open, run
    from corpusmill.collect.settings import Source

__version__ = "0.1.0"
__all__ = ["Source", "__version__", "edit", "extractor", "open", "run", "signal", "source", "stage"]


def __getattr__(name: str) -> Any:
    """Import a name when it is first used, so that `import corpusmill` stays light."""
    if name in ("open", "run"):
        from corpusmill import api

        return getattr(api, name)
    if name == "Source":
        from corpusmill.collect.settings import Source

        return Source
    raise AttributeError(f"module 'corpusmill' has no attribute '{name}'")
