"""What a fine-tuned model says of examples, and vectors of texts, line by line."""

import threading
from collections.abc import Iterable, Iterator
from pathlib import Path
from queue import Empty, Queue
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from corpusmill.errors import InputError
from corpusmill.finetune.examples import KINDS, Example, Text, parsed
from corpusmill.finetune.tasks.embeddings import Embeddings
from corpusmill.finetune.tuned import Tuned, load_tuned
from corpusmill.store import full_disk_is_a_run_error, temporary_beside

BATCH = 32  # examples that are predicted together
Lines = Iterable[str]


def predict(tuned: Tuned, lines: Lines, where: str, batch: int = BATCH) -> Iterator[dict[str, Any]]:
    """A prediction per line, each of which is a JSON object as in training, without what is to be predicted.

    Lines that have come are predicted together, at most `batch`; a prediction never waits for later lines.  `where`
    names the lines in the InputError for a line that is no example.
    """
    kind = KINDS[tuned.task.settings.task]
    for some in gathered(lines, batch):
        yield from tuned.task.predict(tuned.model, _examples(some, kind, where))


def example_of(tuned: Tuned, text: str) -> Example:
    """A text as an example.  InputError if the task needs more than a text."""
    task = tuned.task.settings.task
    content = {
        "classification": {"text": text},
        "tokens": {"text": text},
        "sequence": {"input": text},
        "instruction": {"messages": [{"role": "user", "content": text}]},
    }
    if task not in content:
        needed = ", ".join(name for name, field in KINDS[task].model_fields.items() if field.is_required())
        raise InputError(f"the task '{task}' needs more than a text; give a file with JSON lines that have: {needed}")
    return KINDS[task].model_validate(content[task])


def embed(
    model: str | Path, lines: Lines, where: str, out: str | Path, *, batch: int = BATCH, device: str = "cpu"
) -> int:
    """Write the vectors of texts, which have the length 1, as Parquet: id, text, vector.  Returns their number.

    Each line is a JSON object with `text`, and maybe `id`.  Any encoder will do, but one that was tuned for embeddings
    is better.  InputError if the model is no encoder, a line is no such object, or the folder of `out` is missing.
    """
    out = Path(out)
    if not out.parent.is_dir():
        raise InputError(f"{out}: there is no folder {out.parent}")
    tuned = load_tuned(model, device, vectors=True)
    if not isinstance(tuned.task, Embeddings):
        raise InputError(f"{model}: is tuned for {tuned.task.settings.task}; vectors need the task embeddings")
    n, width = 0, tuned.task.vectors(tuned.model, [""]).shape[1]
    schema = pa.schema({"id": pa.string(), "text": pa.large_string(), "vector": pa.list_(pa.float32(), width)})
    with full_disk_is_a_run_error(out), temporary_beside(out) as temporary:
        with pq.ParquetWriter(temporary, schema, compression="zstd") as writer:
            for some in gathered(lines, 32 * batch):
                examples = _examples(some, Text, where)
                vectors = tuned.task.vectors(tuned.model, [example.text for example in examples])
                columns = {
                    "id": [None if example.id is None else str(example.id) for example in examples],
                    "text": [example.text.encode("utf-8", "replace").decode() for example in examples],
                    "vector": list(vectors.numpy()),
                }
                writer.write_table(pa.table(columns, schema=schema))
                n += len(examples)
        if not n:
            raise InputError(f"{where}: has no lines, so there is nothing to embed")
        temporary.rename(out)
    return n


def _examples(lines: list[tuple[int, str]], kind: type[Any], where: str) -> list[Any]:
    return [parsed(line, kind, f"{where}, line {number}") for number, line in lines]


def gathered(lines: Lines, size: int) -> Iterator[list[tuple[int, str]]]:
    """The lines that are not empty, with their numbers from 1, in lists of at most `size`.

    A list has what has come since the one before; only its first line is waited for.
    """
    queue: Queue[tuple[int, str] | BaseException | None] = Queue(2 * size)

    def read() -> None:
        try:
            for number, line in enumerate(lines, start=1):
                if line.strip():
                    queue.put((number, line))
            queue.put(None)
        except BaseException as error:  # noqa: BLE001  # it is raised again where the lines are used
            queue.put(error)

    threading.Thread(target=read, daemon=True).start()
    ended = False
    while not ended:
        some: list[tuple[int, str]] = []
        item = queue.get()
        while isinstance(item, tuple):
            some.append(item)
            if len(some) == size:
                break
            try:
                item = queue.get_nowait()
            except Empty:
                break
        ended = not isinstance(item, tuple)
        if some:
            yield some
        if isinstance(item, BaseException):
            raise item
