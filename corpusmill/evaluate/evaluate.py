"""All figures of an evaluation: of the validation split, or of files.  They are kept in the model's folder.

evaluations.parquet        one row per figure; the rows of an evaluation of the same name are replaced
evaluation_items.parquet   one row per item of cloze and multiple choice
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from corpusmill import schema
from corpusmill.corpus import digest
from corpusmill.errors import InputError
from corpusmill.evaluate import files
from corpusmill.evaluate.contamination import Contamination, contamination
from corpusmill.evaluate.documents import Documents, Group, Progress, Split, groups
from corpusmill.evaluate.intervals import Estimate, ratio, share
from corpusmill.evaluate.items import Choices, Cloze, Document, EvaluationFile, read_file
from corpusmill.evaluate.subject import Subject
from corpusmill.evaluate.tasks import Answered, answer_choices, answer_cloze
from corpusmill.terminal import counted

if TYPE_CHECKING:
    from corpusmill.evaluate.scorer import Scorer

FILE, ITEMS_FILE = "evaluations.parquet", "evaluation_items.parquet"
VERSION = 1
VALIDATION: Split = "validation"
BLOCK = 256  # documents at a time


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure, a row of the table `evaluations`."""

    evaluation: str
    kind: str
    metric: str
    source: str | None
    language: str | None
    items: int
    value: float
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class Evaluated:
    """The answer."""

    model: str
    changes: str | None  # of the corpus since the training
    figures: tuple[Figure, ...]
    too_short: int  # items that are too short to be found in the corpus; 0 if they were not looked for


def evaluate(
    model: str | Path,
    paths: Sequence[str | Path] = (),
    *,
    corpus: str | Path | None = None,
    device: str = "cpu",
    check_contamination: bool = False,
    progress: Progress = lambda done, total: None,
) -> Evaluated:
    """Measure a model on the validation split of its corpus, or on files (see `corpusmill.evaluate.items`).

    With `check_contamination`, the items of the files are looked for in the training documents.  InputError if there is
    no such model, corpus or file, or if the model cannot be asked such questions.
    """
    subject = Subject.of(model)
    if not paths:
        if check_contamination:
            raise InputError("the items of files can be looked for in the corpus; give files")
        documents = Documents(subject, subject.corpus(corpus), device)
        losses = documents.of_split(VALIDATION, None, progress)
        return _kept(subject, Evaluated(subject.name, documents.changes, _of_documents(VALIDATION, losses), 0), [])
    read = [read_file(Path(path)) for path in paths]
    names = [file.name for file in read]
    if wrong := {name for name in names if names.count(name) > 1 or name == VALIDATION}:
        raise InputError(f"files need different names, and none may be '{VALIDATION}': {', '.join(sorted(wrong))}")
    place = subject.corpus(corpus) if check_contamination else None
    found = contamination(place, read) if place else Contamination({}, frozenset())
    scorer = _scorer(subject, device)
    figures: list[Figure] = []
    rows: list[dict[str, Any]] = []
    for file in read:
        of_file, of_items = _measured(scorer, file, found.found if place else None, progress)
        figures += of_file
        rows += of_items
    changes = subject.changes(place) if place else None
    return _kept(subject, Evaluated(subject.name, changes, tuple(figures), len(found.too_short)), rows)


def _scorer(subject: Subject, device: str) -> "Scorer":
    from corpusmill.evaluate.scorer import Scorer
    from corpusmill.train.trained import load

    trained = load(subject.folder, device)
    return Scorer(trained, subject.objective(trained.kind), subject.settings.seed if subject.settings else 1)


def _kept(subject: Subject, evaluated: Evaluated, items: list[dict[str, Any]]) -> Evaluated:
    """Write the figures into the model's folder, in place of earlier ones with the same names."""
    made_of = digest(VERSION, files.weights_of(subject.folder))
    names = sorted({figure.evaluation for figure in evaluated.figures})
    fields = dict.fromkeys(schema.EVALUATIONS.arrow.names, getattr)
    rows = [{name: get(figure, name) for name, get in fields.items()} for figure in evaluated.figures]
    for file, table, new in (
        (FILE, schema.EVALUATIONS, rows),
        (ITEMS_FILE, schema.EVALUATION_ITEMS, items),
    ):
        path = subject.folder / file
        old = files.read(path, table, made_of)
        if new or len(old):
            added = pa.Table.from_pylist(new, schema=table.arrow)
            files.write(path, files.replaced(old, "evaluation", names, added), made_of)
    return evaluated


# ---- documents -----------------------------------------------------------------------------------------------------


def _of_documents(name: str, losses: pa.Table) -> tuple[Figure, ...]:
    """Loss, perplexity and bits per byte: of all documents, by source, by language."""
    figures = [figure for group in groups(losses, None) for figure in _of_group(name, group, None, None)]
    for by in ("source", "language"):
        for group in groups(losses, by):
            if group.name is not None:
                figures += _of_group(name, group, *((group.name, None) if by == "source" else (None, group.name)))
    return tuple(figures)


def _of_group(name: str, group: Group, source: str | None, language: str | None) -> list[Figure]:
    perplexity = Estimate(*(None if value is None else math.exp(value) for value in group.loss))  # type: ignore[arg-type]
    found = {"loss": group.loss, "perplexity": perplexity, "bits_per_byte": group.bits_per_byte}
    return [
        Figure(name, "documents", metric, source, language, group.documents, *estimate)
        for metric, estimate in found.items()
        if estimate is not None
    ]


def _measure_texts(scorer: "Scorer", file: EvaluationFile, progress: Progress) -> pa.Table:
    """The losses of a file's documents, with the columns that `groups` reads."""
    from corpusmill.filters.language import identify

    documents = [item for item in file.items if isinstance(item, Document)]
    texts = [document.text for document in documents]
    told = identify(pa.array(texts, pa.large_string()))["language"].to_pylist()
    sums, counts = np.zeros(len(texts)), np.zeros(len(texts), np.int64)
    for start in range(0, len(texts), BLOCK):
        ids = [scorer.trained.encode(text) for text in texts[start : start + BLOCK]]
        names = [f"{file.name} {start + number}" for number in range(len(ids))]
        sums[start : start + BLOCK], counts[start : start + BLOCK] = scorer.document_losses(names, ids)
        progress(min(start + BLOCK, len(texts)), len(texts))
    n_bytes = np.array([len(text.encode()) for text in texts])
    bits = sums / math.log(2) / np.maximum(n_bytes, 1)
    return pa.table({
        "source": pa.array([document.source for document in documents], pa.string()),
        "language": pa.array([d.language or guess for d, guess in zip(documents, told, strict=True)], pa.string()),
        "n_targets": counts,
        "n_bytes": n_bytes,
        "loss": pa.array(sums / np.maximum(counts, 1), mask=counts == 0),
        "bits_per_byte": pa.array(bits, mask=np.full(len(texts), not scorer.predicts_every_token)),
    })  # fmt: skip


# ---- files ---------------------------------------------------------------------------------------------------------


def _measured(
    scorer: "Scorer", file: EvaluationFile, found: dict[tuple[str, int], str] | None, progress: Progress
) -> tuple[list[Figure], list[dict[str, Any]]]:
    """The figures of a file, and the rows of its items.  found: by item, the document that contains it."""
    where = None if found is None else [found.get((file.name, number)) for number in range(len(file.items))]
    if file.kind == "documents":
        losses = _measure_texts(scorer, file, progress)
        figures = list(_of_documents(file.name, losses))
        if where is not None:
            clean = losses.filter(pa.array([doc_id is None for doc_id in where]))
            figures.append(_contaminated(file, where))
            figures += [
                Figure(file.name, file.kind, "loss_clean", None, None, group.documents, *group.loss)
                for group in groups(clean, None)
            ]
        return figures, []
    answered = _ANSWER[file.kind](scorer, file, progress)
    figures = _of_answers(file, answered)
    if where is not None:
        figures.append(_contaminated(file, where))
        clean = [each.correct for each, doc_id in zip(answered, where, strict=True) if doc_id is None]
        if clean:
            figures.append(_share(file, "accuracy_clean", clean))
    rows = [
        {
            "evaluation": file.name, "item": item.id, "correct": each.correct,
            "correct_normalised": each.correct_normalised, "log_likelihood": each.log_likelihood,
            "n_tokens": each.n_tokens, "found_in": None if where is None else where[number],
        }
        for number, (item, each) in enumerate(zip(file.items, answered, strict=True))
    ]  # fmt: skip
    return figures, rows


_ANSWER: dict[str, Callable[["Scorer", EvaluationFile, Progress], list[Answered]]] = {
    "cloze": lambda scorer, file, progress: answer_cloze(
        scorer, [item for item in file.items if isinstance(item, Cloze)], progress
    ),
    "choices": lambda scorer, file, progress: answer_choices(
        scorer, [item for item in file.items if isinstance(item, Choices)], progress
    ),
}


def _of_answers(file: EvaluationFile, answered: Sequence[Answered]) -> list[Figure]:
    figures = [_share(file, "accuracy", [each.correct for each in answered])]
    normalised = [each.correct_normalised for each in answered if each.correct_normalised is not None]
    if normalised:
        figures.append(_share(file, "accuracy_normalised", normalised))
        chance = sum(1 / len(item.choices) for item in file.items if isinstance(item, Choices)) / len(file.items)
        figures.append(Figure(file.name, file.kind, "chance", None, None, len(answered), chance, None, None))
    loss = ratio([-each.log_likelihood for each in answered], [each.n_tokens for each in answered])
    figures.append(Figure(file.name, file.kind, "loss", None, None, len(answered), *loss))
    return figures


def _share(file: EvaluationFile, metric: str, true: Sequence[bool]) -> Figure:
    return Figure(file.name, file.kind, metric, None, None, len(true), *share(sum(true), len(true)))


def _contaminated(file: EvaluationFile, where: Sequence[str | None]) -> Figure:
    n = sum(doc_id is not None for doc_id in where)
    return Figure(file.name, file.kind, "contaminated_share", None, None, len(where), n / len(where), None, None)


# ---- what people read ----------------------------------------------------------------------------------------------


def render(evaluated: Evaluated) -> str:
    """The figures as text."""
    lines = [f"note: {evaluated.changes}"] if evaluated.changes else []
    for name in dict.fromkeys(figure.evaluation for figure in evaluated.figures):
        of_name = [figure for figure in evaluated.figures if figure.evaluation == name]
        all_, noun = of_name[0].items, "document" if of_name[0].kind == "documents" else "item"
        lines.append(f"{name} ({of_name[0].kind}): {counted(all_, noun)}")
        by_group = "bits_per_byte" if any(figure.metric == "bits_per_byte" for figure in of_name) else "loss"
        for figure in of_name:
            group = f"source {figure.source}" if figure.source else f"language {figure.language}"
            whole = figure.source is None and figure.language is None
            if whole or figure.metric == by_group:
                what = figure.metric if whole else f"{figure.metric}, {group}"
                n = f"  {counted(figure.items, noun)}" if figure.items != all_ else ""
                lines.append(f"  {what:<36}  {figure.value:.4g}{_interval(figure)}{n}")
    if evaluated.too_short:
        lines.append(f"{counted(evaluated.too_short, 'item')} cannot be found in the corpus: shorter than 8 words")
    return "\n".join(lines)


def _interval(figure: Figure) -> str:
    return "" if figure.low is None or figure.high is None else f"  ({figure.low:.4g} to {figure.high:.4g})"
