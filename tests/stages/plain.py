"""A run without Beam, without processes and without a supervisor: the stages walked in a plain loop.

Quick (no start-up), and another way to the same answer: what Beam makes of the stages must equal it.
"""

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from corpusmill.collect.slices import Slice
from corpusmill.corpus import Corpus
from corpusmill.extensions import UserModule
from corpusmill.pipelines.blobs import packed, unpacked
from corpusmill.recipe import parse
from corpusmill.stages.chain import chain_of
from corpusmill.stages.files import keep_files
from corpusmill.stages.grouping import Grouping
from corpusmill.stages.job import Job
from corpusmill.stages.planning import make_plan, write_tables
from corpusmill.stages.stage import PerPart, Reading, Singleton


def job_of(recipe: dict, folder: Path, corpus: str = "corpus") -> Job:
    """The job of a recipe in `folder`."""
    parsed = parse(recipe, folder=folder)
    modules = tuple(UserModule.find(name, folder) for name in parsed.modules)
    return Job(recipe=parsed, corpus=Corpus(folder / corpus), folder=folder, modules=modules)


def run_plainly(job: Job, until: str | None = None, order: int = 1) -> list[str]:
    """Every stage in order; returns the parts.  order: -1 takes everything in the reverse order."""
    slices = make_plan(job)
    write_tables(job)
    keep_files(job.recipe, job.folder, job.files, job.corpus)
    parts = read(job, slices[::order])
    for stage in chain_of(job).until(until)[1:]:
        match stage:
            case PerPart():
                for part in parts[::order]:
                    stage.advance(job, part)
            case Grouping():
                group(job, stage, parts, order)
            case Singleton():
                stage.advance(job, parts)
    return parts


def read(job: Job, slices: Sequence[Slice]) -> list[str]:
    stage = chain_of(job).reading
    assert isinstance(stage, Reading)
    return sorted(receipt.part for piece in slices for receipt in stage.advance(job, piece))


def group(job: Job, stage: Grouping, parts: list[str], order: int) -> None:
    shuffle = stage.plan(job, parts)
    if not shuffle.stale:
        return
    messages: dict[int, list[bytes]] = defaultdict(list)
    for round in stage.rounds:
        sent: dict[tuple[int, int], list[bytes]] = defaultdict(list)
        for number, part in list(enumerate(shuffle.parts))[::order]:
            for blob in round.scatter(job, shuffle, number, stage.reader(job, part), messages[number]):
                sent[blob.destination, blob.senders] += packed(number, blob.content)
        gathered = [
            message
            for (_, senders), pieces in list(sent.items())[::order]
            for message in round.gather(job, shuffle, unpacked(pieces[::order], senders, stage.name))
        ]
        if round.join is not None:
            gathered = list(round.join(job, shuffle, [message.content for message in gathered]))
        messages = defaultdict(list)
        for message in gathered:
            messages[message.part].append(message.content)
    for number, part in enumerate(shuffle.parts):
        stage.publish(job, part, messages[number])
    stage.commit(job, shuffle)
