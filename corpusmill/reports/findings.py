"""The first section of the report: findings about this corpus, and the next steps.

A finding is a SQL query and a sentence for its first row.  The query returns a row only if there is a problem, so a
corpus without problems has no findings.  The thresholds are in the queries, where a reader can see them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from shlex import quote
from typing import Any

from corpusmill.reasons import Duplicate, Outcome, Reason
from corpusmill.reports.charts import compact, share

Row = dict[str, Any]
Ask = Callable[[str], list[Row]]  # SQL -> rows, personal data masked


@dataclass(frozen=True, slots=True)
class Check:
    """A query that returns a row if there is a problem, and the sentence that describes the problem."""

    sql: str
    say: Callable[[Row], str]


@dataclass(frozen=True, slots=True)
class Finding:
    """A problem in the corpus: a sentence, and the query whose rows show it."""

    says: str
    sql: str


@dataclass(frozen=True, slots=True)
class Step:
    """A next step: its purpose, and its command."""

    says: str
    command: str


UNUSABLE = Check(
    """\
SELECT source, status, records, of_source, sum(records) OVER ()::BIGINT AS all_records
FROM unusable
ORDER BY records DESC, source, status""",
    lambda row: (
        f"{row['all_records']:,} records could not be used. The most frequent reason is {row['status']} in source "
        f"{row['source']}: {row['records']:,} of its {row['of_source']:,} records."
    ),
)

EMPTY_SOURCES = Check(
    """\
SELECT source, count(*) AS pages
FROM ledger
GROUP BY source
HAVING count(*) FILTER (kept) = 0 AND count(*) FILTER (kept IS NULL) = 0
ORDER BY pages DESC, source""",
    lambda row: f"Nothing of source {row['source']} is in the corpus, although {row['pages']:,} pages came in.",
)

STRONG_RULE = Check(
    f"""\
SELECT rule,
       count(*) AS pages,
       count(*) FILTER (len(also_dropped_by) = 0) AS alone,
       (SELECT count(*) FROM ledger WHERE stage IS DISTINCT FROM '{Reason.UNREADABLE}') AS readable
FROM ledger
WHERE stage = '{Reason.RULE}'
GROUP BY rule
HAVING count(*) > 0.1 * readable  -- one rule drops more than a tenth of the pages
ORDER BY pages DESC, rule""",
    lambda row: (
        f"The rule {row['rule']} drops {share(row['pages'], row['readable'])} of the pages. "
        f"{row['alone']:,} of them break no other rule."
    ),
)

LARGE_HOST = Check(
    """\
SELECT url_host(url) AS host, count(*) AS documents, (SELECT count(*) FROM ledger WHERE kept) AS all_documents
FROM ledger
WHERE kept AND host IS NOT NULL
GROUP BY host
HAVING count(*) > 0.2 * all_documents AND count(*) >= 20  -- one host gives more than a fifth of the documents
ORDER BY documents DESC, host""",
    lambda row: f"The host {row['host']} gives {share(row['documents'], row['all_documents'])} of the documents.",
)

LARGE_CLUSTER = Check(
    """\
SELECT twin_doc_id, count(*) + 1 AS pages, min(jaccard) AS lowest
FROM ledger
WHERE jaccard IS NOT NULL
GROUP BY twin_doc_id
HAVING count(*) >= 20  -- many pages for one kept document
ORDER BY pages DESC, twin_doc_id""",
    lambda row: (
        f"{row['pages']:,} pages are near-duplicates of one document, {row['twin_doc_id']}. "
        f"The lowest similarity among them is {row['lowest']:.2f}."
    ),
)

OVER_MERGED = Check(
    f"""\
SELECT twin_doc_id, count(*) AS pages, count(*) FILTER (jaccard < threshold + 0.05) AS barely
FROM ledger
WHERE rule = '{Duplicate.NEAR}'
GROUP BY twin_doc_id
HAVING count(*) >= 10 AND 2 * barely > count(*)  -- most of ten or more are hardly above the threshold
ORDER BY pages DESC, twin_doc_id""",
    lambda row: (
        f"The near-duplicates of {row['twin_doc_id']} look over-merged: {row['barely']:,} of {row['pages']:,} "
        "are hardly above the threshold. They may be different texts in one template. Look at some, or raise "
        "dedup.threshold."
    ),
)

UNSURE_LANGUAGE = Check(
    """\
SELECT count(*) FILTER (language_score < 0.5) AS documents, count(*) AS all_documents
FROM ledger JOIN signals USING (doc_id)
WHERE kept
HAVING count(*) FILTER (language_score < 0.5) > 0.05 * count(*)  -- more than a twentieth""",
    lambda row: (
        f"The language of {row['documents']:,} documents ({share(row['documents'], row['all_documents'])}) is "
        "uncertain: its score is below 0.5."
    ),
)

WRONG_LIBRARY = Check(
    """\
SELECT substr(entry.key, 11) AS library, sum(entry.value)::BIGINT AS texts, count(*) AS parts
FROM (SELECT unnest(map_entries(counts)) AS entry FROM receipts WHERE stage = 'tokens' AND is_current)
WHERE entry.key LIKE 'different_%'  -- ids that are not HF's, found before a part was encoded
GROUP BY library
ORDER BY texts DESC, library""",
    lambda row: (
        f"The library {row['library']} gave other token ids than HF tokenizers for {row['texts']:,} texts. It was "
        f"given up, and another one encoded {row['parts']:,} parts. Tell its authors, and us."
    ),
)

UNUSED_TOKENS = Check(
    """\
SELECT count(*) FILTER (risk IS NOT NULL) AS tokens, count(*) AS all_tokens
FROM vocabulary
WHERE NOT is_special
HAVING count(*) FILTER (risk IS NOT NULL) > 0.1 * count(*) + 256  -- more than a tenth, bytes aside""",
    lambda row: (
        f"{row['tokens']:,} of {row['all_tokens']:,} tokens are hardly or never used. With a smaller "
        "tokenizer.vocab_size, or a tokenizer that was trained on this corpus, a model has fewer useless weights."
    ),
)

CHECKS = (
    UNUSABLE,
    EMPTY_SOURCES,
    STRONG_RULE,
    LARGE_HOST,
    LARGE_CLUSTER,
    OVER_MERGED,
    UNSURE_LANGUAGE,
    WRONG_LIBRARY,
    UNUSED_TOKENS,
)

STATE_SQL = f"""\
SELECT (SELECT count(*) FROM ledger WHERE kept) AS documents,
       (SELECT count(*) FROM ledger WHERE kept IS NULL) AS undecided,
       (SELECT sum(n_tokens) FROM tokens) AS tokens,
       (SELECT min(model) FROM metrics) AS model,
       (SELECT min(doc_id) FROM ledger WHERE stage = '{Reason.RULE}') AS dropped"""


def findings(ask: Ask) -> list[Finding]:
    """The findings about a corpus, in the order of `CHECKS`."""
    return [Finding(check.say(rows[0]), check.sql) for check in CHECKS if (rows := ask(check.sql))]


def next_steps(ask: Ask, corpus: str) -> list[Step]:
    """The next steps with a corpus of this name."""
    (state,) = ask(STATE_SQL)
    place = quote(corpus)
    steps = []
    if state["undecided"]:
        says = f"{state['undecided']:,} pages are {Outcome.UNDECIDED}: run the recipe to its end."
        steps.append(Step(says, f"corpusmill run RECIPE --corpus {place}"))
    if state["dropped"]:
        steps.append(Step("See why a page was dropped.", f"corpusmill why {place} {state['dropped']}"))
    counts = '"SELECT rule, count(*) AS pages FROM ledger WHERE NOT kept GROUP BY rule ORDER BY pages DESC"'
    steps.append(Step("Ask your own question in SQL.", f"corpusmill sql {place} {counts}"))
    if state["tokens"] and not state["model"]:
        says = f"Train a model on the {compact(state['tokens'])} tokens."
        steps.append(Step(says, f"corpusmill train {place}"))
    if state["model"]:
        model = quote(f"{corpus}/models/{state['model']}")
        steps.append(Step("Let the model continue a text.", f'corpusmill generate {model} "The "'))
    return steps
