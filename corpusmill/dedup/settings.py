"""Settings of deduplication."""

from typing import Annotated, Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from corpusmill.settings import Name, Settings


class Against(Settings):
    """Another corpus, whose documents are not wanted again."""

    corpus: str = Field(min_length=1)  # its folder, relative to the recipe's, or s3://BUCKET/FOLDER
    name: Name  # what it is called in the table twins


TRACKING = (
    *("utm_*", "gclid", "gclsrc", "dclid", "gbraid", "wbraid", "fbclid", "msclkid", "yclid", "twclid", "ttclid"),
    *("igshid", "mc_cid", "mc_eid", "_ga", "_gl", "_hsenc", "_hsmi", "mkt_tok", "vero_id", "oly_anon_id", "oly_enc_id"),
    *("jsessionid", "phpsessid"),
)
"""Arguments of URLs that do not say which page it is, in lower case."""
SEARCH = ("enabled", "ngram", "bands", "rows", "threshold", "seed")  # what the search for similar texts depends on

Count = Annotated[int, Field(ge=1)]


class UrlDuplicates(Settings):
    """Pages with the same URL, of which one stays."""

    enabled: bool = False
    keep: Literal["newest", "longest", "best"] = "newest"
    signal: str | None = None  # of pages, for "best": the page with the highest value stays
    ignore: list[str] = list(TRACKING)  # arguments that make no other page; `*` stands for any text

    @model_validator(mode="after")
    def _signal_is_named(self) -> Self:
        if (self.keep == "best") != (self.signal is not None):
            raise ValueError(
                "dedup.urls: keep = \"best\" needs the name of a signal in 'signal', and nothing else does"
            )
        return self


class RepeatedLines(Settings):
    """Lines or paragraphs that are cut from all documents if they stand in many."""

    unit: Literal["line", "paragraph"] = "line"
    scope: Literal["host", "corpus"] = "host"  # whose documents are counted
    min_documents: int = Field(10, ge=2)
    min_words: Count = 3  # a letter of a script without spaces is a half or a quarter of a word
    fold_numbers: bool = True  # whether all numbers are taken for the same


class RepeatedText(Settings):
    """Pieces of text that stand in several documents, of which the first occurrence stays."""

    units: list[Literal["line", "paragraph", "sentences", "substring", "characters"]] = []
    min_words: Count = 10  # of a line, a paragraph or a span of three sentences
    substring_words: int = Field(50, ge=10, le=10_000)
    substring_chars: int = Field(200, ge=40, le=100_000)  # of "characters": letters and digits
    min_words_left: int = Field(20, ge=0)  # a document that was cut and has fewer is dropped

    @model_validator(mode="after")
    def _units_differ(self) -> Self:
        if len(set(self.units)) < len(self.units):
            raise ValueError("dedup.repeats: a unit is named twice in 'units'")
        return self


class SemanticDuplicates(Settings):
    """Documents with similar embeddings, which the user gives."""

    embeddings: str | None = None  # a Parquet file with columns doc_id and vector, relative to the recipe
    threshold: float = Field(0.95, gt=0, le=1)  # least cosine similarity with a kept document


class DedupSettings(Settings):
    """Removal of duplicates: of whole documents, and of what stands in several of them."""

    enabled: bool = True  # the search for exact and near-duplicates; the others have switches of their own
    near: bool = True  # whether similar documents are duplicates, too
    exact: Literal["text", "normalised"] = "text"  # without `near`: what is compared
    ngram: int = Field(5, ge=1, le=32)  # in words; in characters for languages without spaces
    bands: int = Field(14, ge=1, le=64)
    rows: int = Field(8, ge=1, le=64)
    threshold: float = Field(0.75, gt=0, le=1)  # least Jaccard similarity with a kept document, computed exactly
    seed: int = Field(1, ge=0, lt=2**32)  # what datasketch takes
    against: list[Against] = []
    urls: UrlDuplicates = UrlDuplicates()
    lines: list[RepeatedLines] = []
    repeats: RepeatedText = RepeatedText()
    semantic: SemanticDuplicates = SemanticDuplicates()

    @field_validator("against")
    @classmethod
    def _names_differ(cls, against: list[Against]) -> list[Against]:
        names = [each.name for each in against]
        if len({*names}) < len(names):
            raise ValueError("two corpora have the same name")
        return against

    @model_validator(mode="after")
    def _fit_together(self) -> Self:
        if self.exact == "normalised" and self.near:
            raise ValueError('dedup.exact = "normalised" needs near = false: similar texts include such copies anyway')
        kinds = [(each.unit, each.scope) for each in self.lines]
        if len(set(kinds)) < len(kinds):
            raise ValueError("dedup.lines: two have the same unit and the same scope; keep one of them")
        return self

    def search(self, *, threshold: bool = True) -> dict[str, Any]:
        """What the search for exact and near-duplicates depends on; `threshold`: whether this is a part of it."""
        found = self.model_dump(include={*SEARCH} - (set() if threshold else {"threshold"}))
        return found if self.near else found | {"near": False, "exact": self.exact}
