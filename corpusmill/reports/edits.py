"""What each edit did to one document: `corpusmill why CORPUS DOC --diff`.

Nothing of this is kept in the corpus but the counts.  The edits run once more, one after another, over the extracted
text.  Then personal data is masked in the whole text of each step, so that also what spans lines is masked, and the
lines of each step are compared with those of the step before.

If the recipe names modules, it has to be given, because a corpus does not hold them, and code that lies in a corpus is
never run.  Whether the last text is the one in the corpus is checked and said.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from os import PathLike
from pathlib import Path
from typing import Any

from corpusmill.corpus import Corpus, Place
from corpusmill.errors import InputError
from corpusmill.extensions import UserModule
from corpusmill.filters.edits import PlacedEdit, apply_edits
from corpusmill.filters.edits.counting import lines_of
from corpusmill.filters.personal import mask_text
from corpusmill.reasons import REPEATED_TEXT
from corpusmill.recipe import Recipe, load, parse
from corpusmill.reports.kept_recipe import kept_recipe
from corpusmill.stages.contamination import is_cut
from corpusmill.stages.files import kept_files
from corpusmill.stages.job import Job
from corpusmill.stages.repeated_lines import has_lines, placed_lines
from corpusmill.stages.texts import text_edits

MOST_PAIRS = 4_000_000  # of lines that are compared with each other to find the shortest difference
REMOVED, ADDED = "-", "+"


@dataclass(frozen=True, slots=True)
class ChangedLine:
    """One line that differs, masked."""

    number: int  # in the text before the edit (removed) or after it (added), from 1
    sign: str  # REMOVED or ADDED
    text: str


@dataclass(frozen=True, slots=True)
class Step:
    """What one edit did to a document."""

    edit: str
    n_lines: int  # as on record: lines removed or changed
    n_chars: int  # by which the text became shorter
    changes: tuple[ChangedLine, ...]


@dataclass(frozen=True, slots=True)
class Diff:
    """What all edits of a recipe did to a document, in order."""

    steps: tuple[Step, ...]
    agrees: bool  # whether the last text is the one in the corpus


def job_of(corpus: Place, recipe: str | PathLike[str] | None) -> Job:
    """What edits the texts of a corpus: the recipe in the given file, or the corpus's own copy.

    InputError if that copy is not enough.
    """
    if recipe is None:
        job = Job(recipe=_copy_of_recipe(corpus), corpus=Corpus(corpus), folder=Path())
    else:
        path = Path(recipe)
        found = load(path)
        modules = tuple(UserModule.find(name, path.parent) for name in found.modules)
        job = Job(recipe=found, corpus=Corpus(corpus), folder=path.parent, modules=modules)
    return _with_copies(job) if is_cut(job) else job


def edits_of(job: Job, url: str | None, repeated: Sequence[int]) -> list[PlacedEdit]:
    """The edits of a page with this URL, in order.  repeated: hashes of the lines that many documents hold."""
    edits = text_edits(job)
    if has_lines(job):
        import pyarrow as pa

        urls, found = pa.array([url], pa.string()), pa.table({"hash": pa.array(repeated, pa.uint64())})
        edits.append(placed_lines(job, urls, found))
    return edits


def _with_copies(job: Job) -> Job:
    """The job with the copies of evaluation sets that the corpus has."""
    files = kept_files(job.corpus)
    for path in job.recipe.decontaminate.sets:
        if path not in files:
            raise InputError(f"{job.corpus.place}: was not made with the evaluation set '{path}'; run the recipe first")
    return job.with_files(files)


def _copy_of_recipe(corpus: Place) -> Recipe:
    """What edits the texts of a corpus, from its own copy of the recipe."""
    data = kept_recipe(corpus)
    wanted: dict[str, Any] = {key: data[key] for key in ("edits", "decontaminate") if key in data}
    if "lines" in data.get("dedup", {}):
        wanted["dedup"] = {"lines": data["dedup"]["lines"]}
    if data.get("modules"):
        raise InputError(f"{corpus}: its recipe names modules, which may hold edits; give the recipe: --recipe FILE")
    return parse(
        {"sources": [{"name": "none", "kind": "text", "paths": ["none"]}], **wanted}, where=f"{corpus}: recipe.toml"
    )


def diff(
    text: str, final: str | None, edits: Sequence[PlacedEdit], cuts: Sequence[tuple[int, int]] | None = None
) -> Diff:
    """What the edits do to an extracted text.

    final: the text that the corpus has; None: it has none yet.  cuts: places in it that other documents hold, too, in
    characters; None if these were not looked for.
    """
    import pyarrow as pa

    steps = []
    before, masked = pa.array([text], pa.large_string()), mask_text(text)
    for edit in edits:
        after, counts = apply_edits(before, [edit])
        now = mask_text(after[0].as_py())
        n_lines, n_chars = (counts[name][0].as_py() for name in (edit.lines_column, edit.chars_column))
        changes = tuple(changed(lines_of(masked), lines_of(now))) if n_lines or n_chars or now != masked else ()
        steps.append(Step(edit.name, n_lines, n_chars, changes))
        before, masked = after, now
    if cuts is not None and final is not None:
        steps.append(_cut(final, cuts))
    return Diff(tuple(steps), final is None or masked == mask_text(final))


def _cut(final: str, cuts: Sequence[tuple[int, int]]) -> Step:
    from corpusmill.filters.repeats.cutting import without_spans

    after = without_spans(final, cuts)
    changes = tuple(changed(lines_of(mask_text(final)), lines_of(mask_text(after))))
    n_lines = sum(line.sign == REMOVED for line in changes)
    return Step(REPEATED_TEXT, n_lines, len(final) - len(after), changes)


def changed(before: Sequence[str], after: Sequence[str]) -> Iterator[ChangedLine]:
    """The lines that are in one of two texts only, in order.

    If the text after is the text before without some lines, these are found in linear time.  Else the shortest
    difference is searched, unless the texts are so long that it would take minutes.
    """
    first = 0
    while first < min(len(before), len(after)) and before[first] == after[first]:
        first += 1
    last = 0
    while last < min(len(before), len(after)) - first and before[-1 - last] == after[-1 - last]:
        last += 1
    old, new = before[first : len(before) - last], after[first : len(after) - last]
    matched = _in_order(old, new)
    if sum(place is not None for place in matched) < len(new) and len(old) * len(new) <= MOST_PAIRS:
        matched = [None] * len(new)
        for block in SequenceMatcher(None, old, new, autojunk=False).get_matching_blocks():
            for i in range(block.size):
                matched[block.b + i] = block.a + i
    at = 0
    added: list[ChangedLine] = []
    for place, found in enumerate(matched):
        if found is None:
            added.append(ChangedLine(first + place + 1, ADDED, new[place]))
            continue
        yield from (ChangedLine(first + i + 1, REMOVED, old[i]) for i in range(at, found))
        yield from added
        at, added = found + 1, []
    yield from (ChangedLine(first + i + 1, REMOVED, old[i]) for i in range(at, len(old)))
    yield from added


def _in_order(old: Sequence[str], new: Sequence[str]) -> list[int | None]:
    """For each new line the first place among the old ones, after that of the line before; None if there is none."""
    places = defaultdict(list)
    for place, line in enumerate(old):
        places[line].append(place)
    found: list[int | None] = []
    at = 0
    for line in new:
        there = places.get(line, [])
        i = bisect_left(there, at)
        found.append(there[i] if i < len(there) else None)
        at = there[i] + 1 if i < len(there) else at
    return found
