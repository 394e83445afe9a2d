"""The main job as one Beam pipeline: from committed input files to tokens, tokenizer training included.

Elements are slices (a few hundred bytes: the name of a part in every stage) or blobs of numpy records (a few MB),
never single documents: Beam costs about 40 microseconds an element, a document's whole budget.  What a stage made
lies in the corpus directory, and receipts say what there is to do, so the graph never changes.

A barrier ("all parts of X are published") is `Create([None]) | Map(f, AsList(parts))`: it held on the local runner and
on Flink.  GroupByKey to a constant key never fires on empty input, and Reshuffle alone promises nothing.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import apache_beam as beam
from apache_beam.pvalue import AsSingleton

from corpusmill.collect.plan import Slice
from corpusmill.pipelines import grouping, vocabulary
from corpusmill.pipelines.grouping import Grouping
from corpusmill.pipelines.job import Job
from corpusmill.pipelines.stages import advance
from corpusmill.pipelines.work import Barrier, work
from corpusmill.reasons import Stage

DOCUMENTS_PER_TASK = 20_000
SKETCH_COLUMNS = ["doc_id", "content_hash", "n_chars", "bands", "shingles"]


def build(pipeline: beam.Pipeline, job: Job, slices: Sequence[Slice], until: Stage = Stage.TOKENS) -> None:
    """Plan, then every stage in order up to `until`."""
    parts = pipeline | "Plan" >> beam.Create(list(slices)).with_output_types(Slice) | "Balance" >> beam.Reshuffle()
    steps: dict[Stage, beam.PTransform] = {
        Stage.PAGES: EachPart(job, Stage.PAGES),
        Stage.SIGNALS: EachPart(job, Stage.SIGNALS),
        Stage.VERDICTS: EachPart(job, Stage.VERDICTS),
        Stage.SKETCHES: EachPart(job, Stage.SKETCHES),
        Stage.TWINS: FindTwins(job),
        Stage.DOCS: EachPart(job, Stage.DOCS),
        Stage.TOKENIZER: TrainTokenizer(job),
        Stage.TOKENS: EachPart(job, Stage.TOKENS),
    }
    for name, step in steps.items():
        parts = parts | str(name) >> step
        if name is until:
            break


@dataclass(eq=False)
class EachPart(beam.PTransform):
    """One part of a stage for each slice: found as wanted, or made and published."""

    job: Job
    stage: Stage

    def expand(self, parts: beam.PCollection[Slice]) -> beam.PCollection[Slice]:
        """The same slices, each when its part is published."""
        return parts | work(self.job, _EachPart(self.stage), output=Slice)


@dataclass(frozen=True)
class _EachPart:
    stage: Stage

    def __call__(self, job: Job, piece: Slice) -> Iterator[Slice]:
        advance(job, piece, self.stage)
        yield piece


@dataclass(eq=False)
class FindTwins(beam.PTransform):
    """The duplicates among what the rules kept: bands are grouped, candidates verified, twins published by part.

    Every part sends one blob to every partition, also an empty one, and the receiver counts them.
    """

    job: Job

    def expand(self, parts: beam.PCollection[Slice]) -> beam.PCollection[Slice]:
        """The same slices, when all twins are published."""
        job = self.job
        everything = parts | "AllSketches" >> Barrier()
        group = AsSingleton(everything | "PlanGrouping" >> work(job, _plan_grouping, output=Grouping))
        tasks = (
            parts
            | "BalanceBands" >> beam.Reshuffle()
            | "Bands" >> work(job, _band_blobs, group, output=tuple[tuple[int, int], bytes])
            | "GroupByBand" >> beam.GroupByKey()
            | "Pairs" >> work(job, _pairs, output=bytes)
            | "AllPairs" >> Barrier()
            | "Candidates" >> work(job, _tasks, output=bytes)
            | "BalanceTasks" >> beam.Reshuffle()
        )
        records = tasks | "Verify" >> work(job, _verify, group, output=tuple[str, bytes])
        keyed = parts | "ByName" >> beam.Map(lambda piece: (piece.part, piece)).with_output_types(tuple[str, Slice])
        return (
            {"slice": keyed, "records": records}
            | "ByPart" >> beam.CoGroupByKey()
            | "Publish" >> work(job, _publish_twins, group, output=Slice)
            | "AllTwins" >> Barrier()
            | "Commit" >> work(job, _commit, group, output=Slice)
            | "BalanceDocs" >> beam.Reshuffle()
        )


def _plan_grouping(job: Job, slices: list[Slice]) -> Iterator[Grouping]:
    yield Grouping.plan(job, slices)


def _band_blobs(job: Job, piece: Slice, group: Grouping) -> Iterable[tuple[tuple[int, int], bytes]]:
    return grouping.band_blobs(job, group, piece) if group.stale else ()


def _pairs(job: Job, keyed: tuple[tuple[int, int], Iterable[bytes]]) -> Iterator[bytes]:
    from corpusmill.dedup.group import spanning_edges

    (_, expected), blobs = keyed
    yield spanning_edges(list(blobs), expected)


def _tasks(job: Job, edges: list[bytes]) -> Iterable[bytes]:
    from corpusmill.dedup.group import components, tasks

    return tasks(components(edges), DOCUMENTS_PER_TASK)


def _verify(job: Job, task: bytes, group: Grouping) -> Iterator[tuple[str, bytes]]:
    from corpusmill.dedup.verify import verify_task

    def read(part: int, rows: Any) -> Any:
        return job.corpus.read(Stage.SKETCHES, group.parts[part], SKETCH_COLUMNS).take(rows)

    for part, records in verify_task(task, read, job.recipe.dedup):
        yield group.parts[part], records


def _publish_twins(job: Job, keyed: tuple[str, dict[str, Iterable[Any]]], group: Grouping) -> Iterator[Slice]:
    part, found = keyed
    (piece,) = found["slice"]
    if group.stale:
        grouping.publish_twins(job, part, list(found["records"]))
    yield piece


def _commit(job: Job, slices: list[Slice], group: Grouping) -> Iterable[Slice]:
    if group.stale:
        grouping.commit(job, group)
    return sorted(slices, key=lambda piece: piece.part)


@dataclass(eq=False)
class TrainTokenizer(beam.PTransform):
    """The corpus's vocabulary, when all docs are published."""

    job: Job

    def expand(self, parts: beam.PCollection[Slice]) -> beam.PCollection[Slice]:
        """The same slices, when the tokenizer is published."""
        return (
            parts
            | "AllDocs" >> Barrier()
            | "Train" >> work(self.job, _train, output=Slice)
            | "BalanceTokens" >> beam.Reshuffle()
        )


def _train(job: Job, slices: list[Slice]) -> Iterable[Slice]:
    vocabulary.make(job, [piece.part for piece in slices])
    return sorted(slices, key=lambda piece: piece.part)
