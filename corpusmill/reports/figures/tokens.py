"""What the tokenizer does with the corpus, beside the tokenizers that the recipe names as references."""

from collections.abc import Sequence
from html import escape
from typing import Any

from corpusmill.reasons import Outcome
from corpusmill.reports import charts
from corpusmill.reports.charts import Bar, Segment, share
from corpusmill.reports.figures.base import MOST_BARS, Drawing, Figure, Rows

OWN = "corpus"
MOST_PIECES = 60  # of a list of tokens

RATES_SQL = """\
WITH grouped AS (
    SELECT tokenizer, source, language, GROUPING_ID(source, language) AS level,
           sum(n_bytes)::BIGINT AS n_bytes, sum(n_tokens)::BIGINT AS n_tokens
    FROM tokenizer_rates
    GROUP BY GROUPING SETS ((tokenizer, language), (tokenizer, source), (tokenizer))
)
SELECT tokenizer, CASE level WHEN 3 THEN 'all' WHEN 2 THEN 'language' ELSE 'source' END AS kind,
       CASE level WHEN 3 THEN 'all documents' WHEN 2 THEN coalesce(language, 'unknown') ELSE source END AS name,
       n_bytes, n_tokens, n_bytes / n_tokens AS bytes_per_token,
       max(n_bytes) OVER (PARTITION BY level, language, source) AS size
FROM grouped
WHERE n_tokens > 0
ORDER BY kind, size DESC, name, tokenizer <> 'corpus', tokenizer"""


def draw_rates(rows: Rows) -> Drawing:
    """Bytes per token of each tokenizer: all documents, each language, each source."""
    overall = {row["tokenizer"]: row["bytes_per_token"] for row in rows if row["kind"] == "all"}
    says = f"A token of the corpus stands for {overall[OWN]:.2f} bytes." if OWN in overall else ""
    others = [f"{name} {rate:.2f}" for name, rate in overall.items() if name != OWN]
    says += f" For other tokenizers on the same sample it is: {', '.join(others)}." if others else ""
    sources = {row["name"] for row in rows if row["kind"] == "source"}
    shown = [row for row in rows if row["kind"] != "source" or len(sources) > 1]
    found = [
        Bar(
            f"{row['name']} · {row['tokenizer']}" if others else row["name"],
            (Segment(row["bytes_per_token"], _colour(row["tokenizer"]), f"{row['n_tokens']:,} tokens"),),
            f"{row['bytes_per_token']:.2f} bytes per token",
        )
        for row in shown[: 2 * MOST_BARS]
    ]
    return Drawing(says.strip(), charts.bars(found))


def _colour(tokenizer: str) -> Outcome:
    return Outcome.KEPT if tokenizer == OWN else Outcome.UNREADABLE


TOKENIZERS_SQL = """\
SELECT tokenizer, vocab_size, used, n_tokens, byte_tokens, entropy_bits, renyi_efficiency, returned, documents
FROM tokenizers
ORDER BY tokenizer <> 'corpus', tokenizer"""


def draw_tokenizers(rows: Rows) -> Drawing:
    """How much of its vocabulary each tokenizer uses, and how evenly."""
    first = rows[0]
    says = (
        f"{first['tokenizer']} uses {share(first['used'], first['vocab_size'])} of its {first['vocab_size']:,} entries "
        f"on the sample of {first['documents']:,} documents. Efficiency is the Rényi entropy of the tokens, divided by "
        "the most that is possible."
    )
    lossy = [row for row in rows if row["returned"] < row["documents"]]
    for row in lossy:
        lost = row["documents"] - row["returned"]
        says += f" {row['tokenizer']} does not give back {lost:,} of the documents as they were."
    found = [
        Bar(
            row["tokenizer"],
            (
                Segment(row["used"] / row["vocab_size"], _colour(row["tokenizer"]), f"{row['used']:,} used"),
                Segment(1 - row["used"] / row["vocab_size"], Outcome.UNDECIDED, "not used"),
            ),
            f"{row['used']:,} of {row['vocab_size']:,} · entropy {row['entropy_bits'] or 0:.2f} bits · "
            f"efficiency {row['renyi_efficiency'] or 0:.3f} · {share(row['byte_tokens'], row['n_tokens'] or 1)} bytes",
        )
        for row in rows[:MOST_BARS]
    ]
    return Drawing(says, charts.bars(found, scale=1))


VOCABULARY_SQL = """\
SELECT kind, id, token, n_bytes, n, in_kind, all_tokens
FROM (
    SELECT coalesce(risk, 'in use') AS kind, id, token, n_bytes, n,
           count(*) OVER (PARTITION BY risk) AS in_kind, count(*) OVER () AS all_tokens,
           row_number() OVER (PARTITION BY risk ORDER BY n_bytes DESC, id) AS place
    FROM vocabulary
    WHERE NOT is_special
)
WHERE place <= 100
ORDER BY kind, place"""


def draw_vocabulary(rows: Rows) -> Drawing:
    """The longest tokens that are in use, and those that are glitch-prone, by reason."""
    groups: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        groups.setdefault(row["kind"], []).append(row)
    total = rows[0]["all_tokens"]
    risks = {kind: some[0]["in_kind"] for kind, some in groups.items() if kind != "in use"}
    says = f"Of {total:,} tokens, special ones aside, "
    says += ", ".join(f"{n:,} are {kind}" for kind, n in risks.items()) or "none is glitch-prone"
    says += ". A model cannot learn from tokens that it hardly meets. The longest of each kind come first."
    panels = []
    for kind, some in groups.items():
        texts = [str(row["token"]) for row in some[:MOST_PIECES]]
        title = f"{escape(kind)}: {some[0]['in_kind']:,}"
        panels.append(f'<div class="panel"><h3>{title}</h3>{_pieces(texts, [row["n"] for row in some])}</div>')
    return Drawing(says, f'<div class="panels">{"".join(panels)}</div>')


EXAMPLES_SQL = """\
SELECT topic, tokenizer, n_tokens, pieces
FROM tokenizer_examples
ORDER BY min(rowid) OVER (PARTITION BY topic), tokenizer <> 'corpus', tokenizer"""


def draw_examples(rows: Rows) -> Drawing:
    """How each tokenizer splits texts of ours."""
    says = "Texts of our own, on which tokenizers differ. A sign • stands for bytes that are no whole character."
    drawn = []
    for row in rows[: 4 * MOST_BARS]:
        title = f"{escape(row['topic'])} · {escape(row['tokenizer'])}: {row['n_tokens']} tokens"
        drawn.append(f"<h3>{title}</h3>{_pieces(row['pieces'])}")
    return Drawing(says, f'<div class="splits">{"".join(drawn)}</div>')


def _pieces(texts: Sequence[str], counts: Sequence[int] = ()) -> str:
    """Tokens side by side, with how often they occur as a hint; white space is made visible."""
    pieces = []
    for number, text in enumerate(texts):
        shown = text.replace("\ufffd", "•").replace("\n", "↵").replace("\t", "⇥").replace(" ", "·")
        hint = f' title="{counts[number]:,} times"' if counts else ""
        pieces.append(f"<bdi{hint}>{escape(shown[:80])}</bdi>")
    return f'<p class="pieces">{"".join(pieces)}</p>'


FIGURES = (
    Figure("rates", "Bytes per token", RATES_SQL, draw_rates),
    Figure("tokenizers", "Use of the vocabulary", TOKENIZERS_SQL, draw_tokenizers),
    Figure("vocabulary", "Longest tokens and glitch-prone tokens", VOCABULARY_SQL, draw_vocabulary),
    Figure("splits", "How text is split", EXAMPLES_SQL, draw_examples),
)
