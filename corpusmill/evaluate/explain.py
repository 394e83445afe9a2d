"""What a model was trained on, and what it finds hard: the documents of a step, or of a split, with their losses.

    render_step(explain_step(model, step=137))       every document of a step, the highest loss first
    render_split(explain_split(model, "validation")) losses by source, language, kind of page; the worst documents

A document is shown with what the ledger says of it, and with signals that are unusual: 3 standard deviations or more
from the mean of the corpus's documents.  Texts are those of `texts`, in which personal data is masked.
"""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from corpusmill import schema
from corpusmill.errors import InputError
from corpusmill.evaluate import files
from corpusmill.evaluate.documents import Documents, Group, Progress, Split, groups
from corpusmill.evaluate.subject import Subject
from corpusmill.filters.personal import mask_text
from corpusmill.names import identifier
from corpusmill.reports.catalog import damage_is_named, open_catalog, rows_of
from corpusmill.terminal import counted, one_line
from corpusmill.train.trace import documents_of_steps

STEPS_FILE = "steps.parquet"
UNUSUAL = 3.0  # standard deviations
MOST_SIGNALS = 3
EXCERPT_CHARS = 160
BY = ("source", "language", "kind")


@dataclass(frozen=True, slots=True)
class Hard:
    """A document with its loss."""

    doc_id: str
    url: str | None  # or the path of its file; personal data is masked
    source: str
    language: str | None
    kind: str | None
    split: str
    loss: float | None  # nats per target; None if nothing of it is predicted
    bits_per_byte: float | None
    n_tokens: int
    dropped_by: str | None  # the rule, of a page that is not in the corpus
    rows: tuple[int, ...]  # rows of the step that contain it
    signals: dict[str, tuple[float, float]]  # unusual ones: value, standard deviations from the mean
    excerpt: str | None


@dataclass(frozen=True, slots=True)
class Explanation:
    """The answer."""

    model: str
    corpus: str
    step: int | None
    split: str | None
    changes: str | None  # of the corpus since the training
    groups: dict[str, list[Group]]  # all, by source, by language, by kind
    documents: tuple[Hard, ...]  # the highest loss first


def explain_step(
    model: str | Path,
    step: int,
    *,
    corpus: str | Path | None = None,
    device: str = "cpu",
    progress: Progress = lambda done, total: None,
) -> Explanation:
    """The documents of a step (from 1), each with its loss under the model as it is now.

    InputError if the corpus has changed since the training, because then the rows of the step are not known.
    """
    subject, documents = _opened(model, corpus, device)
    _check_step(subject, documents, step)
    ((_, found),) = documents_of_steps(subject.job(documents.corpus), step, step)
    losses = documents.of_names([each.doc_id for each in found], progress)
    rows: dict[str, list[int]] = {}
    for each in found:
        if each.row not in rows.setdefault(each.doc_id, []):
            rows[each.doc_id].append(each.row)
    return Explanation(
        model=subject.name,
        corpus=str(documents.corpus),
        step=step,
        split=None,
        changes=None,
        groups=_all_groups(losses),
        documents=_described(documents.corpus, losses, len(losses), rows),
    )


def explain_split(
    model: str | Path,
    split: Split,
    *,
    corpus: str | Path | None = None,
    at_most: int | None = None,
    worst: int = 10,
    device: str = "cpu",
    progress: Progress = lambda done, total: None,
) -> Explanation:
    """Losses of a split by source, language and kind of page, and its `worst` documents.

    `split` is train, validation, or dropped (pages that rules dropped).  `at_most` documents are measured: a sample
    that is the same each time; of dropped pages, that many of each rule.
    """
    subject, documents = _opened(model, corpus, device)
    losses = documents.of_split(split, at_most, progress)
    return Explanation(
        model=subject.name,
        corpus=str(documents.corpus),
        step=None,
        split=split,
        changes=documents.changes,
        groups=_all_groups(losses),
        documents=_described(documents.corpus, losses, worst, {}),
    )


def write_steps(model: str | Path, first: int, last: int, *, corpus: str | Path | None = None) -> Path:
    """Write which documents stand in the rows of these steps to `steps.parquet` in the model's folder.

    It replaces what the file had.  It takes the tokens' small columns only, and neither the model nor torch.
    """
    subject = Subject.of(model)
    place = subject.corpus(corpus)
    if last < first:
        raise InputError(f"the steps {first}-{last} are none; give the first and the last, such as 1-100")
    _check_unchanged(subject, place)
    for step in (first, last):
        _check_number(subject, step)
    job = subject.job(place)
    fields = schema.STEP_DOCUMENTS.arrow
    tables = [
        pa.Table.from_pylist([{"step": step, **asdict(each)} for each in found], schema=fields)
        for step, found in documents_of_steps(job, first, last)
    ]
    path = subject.folder / STEPS_FILE
    files.write(path, pa.concat_tables(tables).combine_chunks(), job.fingerprint)
    return path


def _opened(model: str | Path, corpus: str | Path | None, device: str) -> tuple[Subject, Documents]:
    subject = Subject.of(model)
    return subject, Documents(subject, subject.corpus(corpus), device)


def _check_step(subject: Subject, documents: Documents, step: int) -> None:
    _check_number(subject, step)
    _check_unchanged(subject, documents.corpus)


def _check_unchanged(subject: Subject, corpus: Path) -> None:
    if changes := subject.changes(corpus):
        raise InputError(f"{corpus}: {changes}; so which documents a step had is no longer known")


def _check_number(subject: Subject, step: int) -> None:
    if step < 1 or (subject.steps is not None and step > subject.steps):
        raise InputError(f"{subject.folder}: has no step {step}; it was trained for {subject.steps:,} steps, from 1")


def _all_groups(losses: pa.Table) -> dict[str, list[Group]]:
    found = {by: groups(losses, by) for by in BY}
    known = {by: each for by, each in found.items() if any(group.name is not None for group in each)}
    return {"all": groups(losses, None), **known}


# ---- documents -----------------------------------------------------------------------------------------------------

_ABOUT = f"""
    SELECT w.doc_id, coalesce(l.url, p.origin_path) AS url, l.rule, left(t.text, {EXCERPT_CHARS + 1}) AS excerpt
    FROM worst w LEFT JOIN ledger l USING (doc_id) LEFT JOIN pages p USING (doc_id) LEFT JOIN texts t USING (doc_id)"""


def _described(corpus: Path, losses: pa.Table, n: int, rows: dict[str, list[int]]) -> tuple[Hard, ...]:
    """The `n` documents with the highest losses."""
    worst = sorted(losses.to_pylist(), key=lambda row: (-(row["loss"] or 0), row["doc_id"]))[:n]
    with damage_is_named(corpus), open_catalog(corpus) as catalog:
        catalog.register("worst", pa.table({"doc_id": pa.array([row["doc_id"] for row in worst], pa.string())}))
        about = {row["doc_id"]: row for row in rows_of(catalog, _ABOUT)}
        signals = _unusual(catalog)
    return tuple(
        Hard(
            **{name: row[name] for name in ("doc_id", "source", "language", "kind", "split", "loss", "bits_per_byte")},
            n_tokens=row["n_tokens"],
            url=_masked(about[row["doc_id"]]["url"]),
            dropped_by=about[row["doc_id"]]["rule"],
            rows=tuple(rows.get(row["doc_id"], ())),
            signals=signals.get(row["doc_id"], {}),
            excerpt=_excerpt(about[row["doc_id"]]["excerpt"]),
        )
        for row in worst
    )


def _masked(text: str | None) -> str | None:
    return None if text is None else mask_text(text)


def _excerpt(text: str | None) -> str | None:
    """The beginning of a text on one line.  It was masked as a whole."""
    if text is None:
        return None
    return one_line(text[:EXCERPT_CHARS]) + ("…" if len(text) > EXCERPT_CHARS else "")


_WHOLE = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT")
_NUMBERS = (*_WHOLE, *(f"U{name}" for name in _WHOLE), "FLOAT", "DOUBLE")


def _unusual(catalog: duckdb.DuckDBPyConnection) -> dict[str, dict[str, tuple[float, float]]]:
    """By document of the table `worst`, its most unusual signals."""
    columns = rows_of(catalog, "SELECT column_name, column_type FROM (DESCRIBE signals)")
    names = [row["column_name"] for row in columns if row["column_type"] in _NUMBERS]
    means = ", ".join(f"avg({identifier(name)}), stddev_pop({identifier(name)})" for name in names)
    ofs = catalog.execute(f"SELECT {means} FROM signals SEMI JOIN docs USING (doc_id)").fetchone()
    assert ofs is not None, "an aggregate has a row"
    found = {}
    listed = ", ".join(map(identifier, ["doc_id", *names]))
    for row in rows_of(catalog, f"SELECT {listed} FROM signals SEMI JOIN worst USING (doc_id)"):
        far: list[tuple[float, str, float]] = []
        for name, mean, deviation in zip(names, ofs[::2], ofs[1::2], strict=True):
            if row[name] is not None and deviation:
                far.append(((float(row[name]) - mean) / deviation, name, float(row[name])))
        far.sort(key=lambda each: -abs(each[0]))
        found[row["doc_id"]] = {name: (value, z) for z, name, value in far[:MOST_SIGNALS] if abs(z) >= UNUSUAL}
    return found


# ---- what people read ----------------------------------------------------------------------------------------------


def render(found: Explanation, worst: int | None = None) -> str:
    """The answer as text; `worst` is the number of documents that are shown, by default all."""
    shown = found.documents[:worst]
    all_ = next(iter(found.groups["all"]), None)
    what = f"step {found.step} of {found.model}" if found.step else f"{found.model}, split '{found.split}'"
    lines = [f"{what}: no document has a loss" if all_ is None else f"{what}: {_figures(all_)}"]
    if found.changes:
        lines.append(f"note: {found.changes}")
    for by in BY:
        if len(found.groups.get(by, [])) > 1:
            lines += ["", f"by {'kind of page' if by == 'kind' else by}, the highest loss first"]
            lines += [f"  {group.name or 'unknown':<20}  {_figures(group)}" for group in found.groups[by][:20]]
    lines += ["", f"documents, the highest loss first{_of(shown, found)}"]
    for each in shown:
        lines += _document(each)
    return "\n".join(lines)


def _of(shown: tuple[Hard, ...], found: Explanation) -> str:
    n = sum(group.documents for group in found.groups["all"])
    return f" ({len(shown)} of {n:,})" if len(shown) < n else ""


def _figures(group: Group) -> str:
    bits = f", {group.bits_per_byte.value:.3f} bits per byte" if group.bits_per_byte else ""
    about = f" ± {group.loss.value - group.loss.low:.3f}" if group.loss.low is not None else ""
    return f"{counted(group.documents, 'document')}, loss {group.loss.value:.3f}{about} nats{bits}"


def _document(each: Hard) -> list[str]:
    loss = "no loss" if each.loss is None else f"{each.loss:.3f}"
    facts: list[Any] = [each.source, each.language, each.kind, counted(each.n_tokens, "token")]
    if each.rows:
        facts.append(f"row{'' if len(each.rows) == 1 else 's'} {', '.join(map(str, each.rows))}")
    if each.dropped_by:
        facts.append(f"dropped by {each.dropped_by}")
    lines = [f"  {loss:>8}  {each.url or each.doc_id}", f"            {each.doc_id}; {', '.join(filter(None, facts))}"]
    if each.signals:
        signals = (f"{name} {value:.4g} ({z:+.1f} deviations)" for name, (value, z) in each.signals.items())
        lines.append(f"            unusual: {', '.join(signals)}")
    if each.excerpt:
        lines.append(f"            {each.excerpt}")
    return lines
