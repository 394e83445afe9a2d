"""The main job as one Beam pipeline: from committed input files to tokens, including the training of the tokenizer.

`build` goes through the list of stages (`corpusmill.stages.chain`), and applies to each a transform for its kind.
Elements are slices, names of parts (about 30 bytes) or blobs (a few MB), never single documents.  Beam costs about 40
microseconds per element locally, which is as much time as a document may take in all.  The output of a stage is in the
corpus directory, and receipts say what is left to do.  So the graph never changes.

A barrier ("all parts of X are published") is `Create([None]) | Map(f, AsList(parts))`.  It worked on the local runner
and on Flink.  Two other ways do not work: GroupByKey to a constant key never fires on empty input, and Reshuffle alone
guarantees nothing.
"""

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import apache_beam as beam
from apache_beam.pvalue import AsSingleton

from corpusmill.collect.slices import Slice
from corpusmill.pipelines.blobs import Scatter, contents, unpacked
from corpusmill.pipelines.work import Barrier, count, work
from corpusmill.stages.chain import chain_of
from corpusmill.stages.grouping import Grouping, Shuffle
from corpusmill.stages.job import Job
from corpusmill.stages.stage import PerPart, Reading, Singleton, Stage

Name = str  # the name of a part


def build(
    pipeline: beam.Pipeline, job: Job, slices: Sequence[Slice], until: str | None = None, *, spill: bool = True
) -> None:
    """Plan, then apply every stage in order up to `until`.

    spill: shuffle through files of the corpus; for a runner that keeps shuffles in its memory.
    """
    parts = pipeline | "Plan" >> beam.Create(list(slices)).with_output_types(Slice) | "Balance" >> beam.Reshuffle()
    for stage in chain_of(job).until(until):
        parts = parts | str(stage.name) >> transform_of(job, stage, spill=spill)


def transform_of(job: Job, stage: Stage, *, spill: bool) -> beam.PTransform:
    """The transform for a stage's kind: parts in (slices for the first stage), the same parts out."""
    match stage:
        case Reading():
            return ReadSlices(job, stage.name)
        case PerPart():
            return EachPart(job, stage.name)
        case Grouping():
            return Group(job, stage.name, spill)
        case Singleton():
            return MakeFile(job, stage.name)
        case _:
            raise AssertionError(f"{stage.name} is a stage of an unknown kind")


# ---- parts from slices ---------------------------------------------------------------------------------------------


@dataclass(eq=False)
class ReadSlices(beam.PTransform):
    """The parts of each slice: up to date already, or made and published.  A slice may give several parts."""

    job: Job
    stage: Name

    def expand(self, slices: beam.PCollection[Slice]) -> beam.PCollection[Name]:
        """Names of parts, distributed again over the workers, because one slice may have given all of them."""
        return slices | "Read" >> work(self.job, _read, self.stage, output=Name) | "Deal" >> beam.Reshuffle()


def _read(job: Job, piece: Slice, name: Name) -> Iterator[Name]:
    stage = chain_of(job)[name]
    assert isinstance(stage, Reading)
    started = time.time()
    receipts = stage.advance(job, piece)
    count(name, receipts, started)
    yield from (receipt.part for receipt in receipts)


# ---- a part from a part --------------------------------------------------------------------------------------------


@dataclass(eq=False)
class EachPart(beam.PTransform):
    """One part of a stage for each part of the stage before: up to date already, or made and published."""

    job: Job
    stage: Name

    def expand(self, parts: beam.PCollection[Name]) -> beam.PCollection[Name]:
        """The same parts, each after it is published."""
        return parts | work(self.job, _advance, self.stage, output=Name)


def _advance(job: Job, part: Name, name: Name) -> Iterator[Name]:
    stage = chain_of(job)[name]
    assert isinstance(stage, PerPart)
    started = time.time()
    count(name, [stage.advance(job, part)], started)
    yield part


# ---- parts from all parts ------------------------------------------------------------------------------------------


@dataclass(eq=False)
class Group(beam.PTransform):
    """Make parts from all parts, through the rounds of a grouping.

    In each round every part scatters blobs to destinations, each destination gathers the blobs that it receives, and
    messages go back to the parts.
    """

    job: Job
    stage: Name
    spill: bool

    def expand(self, parts: beam.PCollection[Name]) -> beam.PCollection[Name]:
        """The same parts, after all of them are published."""
        job, name = self.job, self.stage
        stage = chain_of(job)[name]
        assert isinstance(stage, Grouping)
        shuffle = AsSingleton(parts | "All" >> Barrier() | "Plan" >> work(job, _plan, name, output=Shuffle))
        messages = parts | "NoMessages" >> beam.FlatMap(_none).with_output_types(tuple[Name, bytes])
        for number, round in enumerate(stage.rounds):
            gathered = (
                _with_messages(parts, messages, f"{round.name}Messages")
                | f"{round.name}Scatter"
                >> beam.ParDo(Scatter(job, name, number, spill=self.spill), shuffle).with_output_types(Keyed)
                | f"{round.name}Shuffle" >> beam.GroupByKey()
                | f"{round.name}Gather" >> work(job, _gather, name, number, shuffle, output=tuple[Name, bytes])
            )
            messages = gathered
            if round.join is not None:
                messages = (
                    gathered
                    | f"{round.name}AllGathered" >> Barrier()
                    | f"{round.name}Join" >> work(job, _join, name, number, shuffle, output=tuple[Name, bytes])
                )
        return (
            _with_messages(parts, messages, "Messages")
            | "Publish" >> work(job, _publish, name, shuffle, output=Name)
            | "AllPublished" >> Barrier()
            | "Commit" >> work(job, _commit, name, shuffle, output=Name)
            | "Deal" >> beam.Reshuffle()
        )


Keyed = tuple[tuple[int, int], bytes]


def _none(_: Name) -> Iterator[tuple[Name, bytes]]:
    return iter(())


def _with_messages(
    parts: beam.PCollection[Name], messages: beam.PCollection[tuple[Name, bytes]], label: str
) -> beam.PCollection[tuple[Name, dict[str, Any]]]:
    """Every part, with the messages that were sent to it."""
    keyed = parts | f"{label}Key" >> beam.Map(lambda part: (part, b"")).with_output_types(tuple[Name, bytes])
    return {"part": keyed, "messages": messages} | f"{label}Join" >> beam.CoGroupByKey()


def _grouping(job: Job, name: Name) -> Grouping:
    stage = chain_of(job)[name]
    assert isinstance(stage, Grouping)
    return stage


def _plan(job: Job, parts: list[Name], name: Name) -> Iterator[Shuffle]:
    yield _grouping(job, name).plan(job, parts)


def _gather(
    job: Job, keyed: tuple[tuple[int, int], Iterable[bytes]], name: Name, number: int, shuffle: Shuffle
) -> Iterator[tuple[Name, bytes]]:
    (_, senders), packed = keyed
    stage = _grouping(job, name)
    for message in stage.rounds[number].gather(job, shuffle, unpacked(contents(job, name, packed), senders, name)):
        yield shuffle.parts[message.part], message.content


def _join(
    job: Job, gathered: list[tuple[Name, bytes]], name: Name, number: int, shuffle: Shuffle
) -> Iterator[tuple[Name, bytes]]:
    join = _grouping(job, name).rounds[number].join
    assert join is not None
    for message in join(job, shuffle, [content for _, content in gathered]):
        yield shuffle.parts[message.part], message.content


def _publish(job: Job, keyed: tuple[Name, dict[str, Iterable[Any]]], name: Name, shuffle: Shuffle) -> Iterator[Name]:
    part, found = keyed
    if shuffle.stale:
        started = time.time()
        count(name, [_grouping(job, name).publish(job, part, list(found["messages"]))], started)
    yield part


def _commit(job: Job, parts: list[Name], name: Name, shuffle: Shuffle) -> Iterable[Name]:
    if shuffle.stale:
        _grouping(job, name).commit(job, shuffle)
    return sorted(parts)


# ---- one file of the corpus ----------------------------------------------------------------------------------------


@dataclass(eq=False)
class MakeFile(beam.PTransform):
    """Make one file of the corpus, after all parts before it are published."""

    job: Job
    stage: Name

    def expand(self, parts: beam.PCollection[Name]) -> beam.PCollection[Name]:
        """The same parts, after the file is published."""
        made = parts | "All" >> Barrier() | "Make" >> work(self.job, _make_file, self.stage, output=Name)
        return made | "Deal" >> beam.Reshuffle()


def _make_file(job: Job, parts: list[Name], name: Name) -> Iterable[Name]:
    stage = chain_of(job)[name]
    assert isinstance(stage, Singleton)
    started = time.time()
    count(name, [stage.advance(job, parts)], started)
    return sorted(parts)
