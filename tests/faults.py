"""Faults by the dozen: seeded, each on a corpus of its own, and what must come after.

    python -m tests.faults --rounds 200 --seed 7      # or: make faults ARGS="--rounds 200 --seed 7"

A round does one thing to a run or to a finished corpus: kills or signals a process, or all; makes the disk fail or
full; damages, empties, deletes or replaces a file.  What runs meanwhile ends with 0, 1, 2 or 130 and one sentence, or
was
killed.  After `verify` and one more run, every file has the bytes of an undisturbed run, every record is in the ledger,
and no process is left.  A short batch is among the tests.
"""

import argparse
import errno
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import psutil

import corpusmill
from corpusmill.reports.catalog import open_catalog
from tests.pipelines.conftest import RECIPE, TIMEOUT_S, checksums, command, documents, write_jsonl

N_DOCUMENTS = 120
STAGES = ["pages", "texts", "signals-language", "signals-text", "verdicts", "sketches", "twins", "docs", "tokens"]

# Read by every Python process of a run: the disk fails at the n-th file that the process makes sure of.
FAILING_DISK = f"""
import os
number, fsync = int(os.environ.get("FAILS_AT", "0")), os.fsync

def failing(descriptor):
    global number
    number -= 1
    if number == 0:
        raise OSError({errno.EIO}, os.strerror({errno.EIO}))
    fsync(descriptor)

os.fsync = failing
"""


class Batch:
    """Rounds on copies of one undisturbed corpus."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.whole = folder / "whole"
        rows = documents(N_DOCUMENTS)
        write_jsonl(self.whole / "in/a.jsonl", rows[:70])
        write_jsonl(self.whole / "in/b.jsonl", rows[70:])
        (self.whole / "recipe.toml").write_text(RECIPE)
        corpusmill.run(self.whole / "recipe.toml", self.whole / "corpus", workers=1)
        self.wanted = checksums(self.whole / "corpus")
        (folder / "disk").mkdir()
        (folder / "disk/sitecustomize.py").write_text(FAILING_DISK)

    def round(self, seed: int) -> str:
        """One fault and what comes after; says what it was.  AssertionError if anything is not as it should be."""
        rng = random.Random(seed)
        project = self.folder / f"round-{seed}"
        shutil.copytree(self.whole, project)
        fault = rng.choice([_killed, _killed, _signalled, self._failing_disk, _full_disk, *[_damaged] * 5])
        told = f"seed {seed}: {fault(project, rng)}"
        try:
            self._comes_out_whole(project)
        except AssertionError as error:
            raise AssertionError(f"{told}: {error}") from error
        shutil.rmtree(project)
        return told

    def _comes_out_whole(self, project: Path) -> None:
        verified = subprocess.run(
            [sys.executable, "-m", "corpusmill", "verify", project / "corpus"],
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
        )
        _check(verified.returncode, verified.stderr, {0, 1, 2})
        again = subprocess.run(command(project, "--workers", "2"), capture_output=True, text=True, timeout=TIMEOUT_S)
        _check(again.returncode, again.stderr, {0})
        found = checksums(project / "corpus")
        assert found == self.wanted, sorted(
            name for name in found | self.wanted if found.get(name) != self.wanted.get(name)
        )
        with open_catalog(project / "corpus") as catalog:
            told = catalog.execute("SELECT count(*) FROM ledger WHERE kept IS NOT NULL").fetchone()
        assert told == (N_DOCUMENTS,), f"{told} records are in the ledger"
        left = [process for process in psutil.process_iter(["cmdline"]) if str(project) in str(process.info["cmdline"])]
        assert not left, left

    def _failing_disk(self, project: Path, rng: random.Random) -> str:
        number = rng.randint(1, 40)
        _undo(project, rng)
        environment = {**os.environ, "PYTHONPATH": str(self.folder / "disk"), "FAILS_AT": str(number)}
        _run(command(project, "--workers", "2"), {0, 1}, env=environment)
        return f"the disk fails at file {number} of each process"


def _undo(project: Path, rng: random.Random) -> None:
    """Leave a run something to do: all of it, or what comes from one stage on."""
    if rng.random() < 0.5:
        shutil.rmtree(project / "corpus")
        return
    for path in sorted((project / "corpus" / rng.choice(STAGES) / "_receipts").glob("*.json")):
        if rng.random() < 0.7:
            path.unlink()


def _run(call: list[str], codes: set[int], **options: object) -> None:
    done = subprocess.run(call, capture_output=True, text=True, timeout=TIMEOUT_S, **options)
    _check(done.returncode, done.stderr, codes)


def _check(code: int, errors: str, codes: set[int]) -> None:
    """Whether a command has ended as it may, with a sentence if it failed."""
    assert "Traceback" not in errors, errors
    assert code in codes, f"exit code {code}: {errors}"
    if code > 0:
        assert errors.strip().splitlines()[-1].startswith("corpusmill: "), errors


def _started(project: Path, rng: random.Random) -> subprocess.Popen[str]:
    _undo(project, rng)
    return subprocess.Popen(
        command(project, "--workers", "2"),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def _killed(project: Path, rng: random.Random) -> str:
    """One process of a run, two of them, or all."""
    moment, how_many = rng.uniform(0, 4), rng.choice([1, 1, 2, 0])
    with _started(project, rng) as run:
        time.sleep(moment)
        names = []
        with suppress(psutil.NoSuchProcess):
            family = psutil.Process(run.pid).children(recursive=True)
            if how_many == 0 or len(family) < how_many:
                names = ["all"]
                os.killpg(run.pid, signal.SIGKILL)
            else:
                for victim in rng.sample(family, how_many):
                    with suppress(psutil.NoSuchProcess):
                        names.append(victim.name())
                        victim.kill()
        _, errors = run.communicate(timeout=TIMEOUT_S)
    _check(run.returncode, errors, {0, 1, -signal.SIGKILL})
    return f"after {moment:.1f} s SIGKILL to {', '.join(names) or 'nothing'}"


def _signalled(project: Path, rng: random.Random) -> str:
    """The command itself, most often early."""
    moment = rng.uniform(0, rng.choice([0.3, 1, 4]))
    number = rng.choice([signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
    with _started(project, rng) as run:
        time.sleep(0.1 + moment)  # before, there is nobody yet to hear it
        run.send_signal(number)
        _, errors = run.communicate(timeout=TIMEOUT_S)
    _check(run.returncode, errors, {0, 130, -number} if moment < 0.1 else {0, 130})
    return f"{number.name} after {0.1 + moment:.1f} s"


def _full_disk(project: Path, rng: random.Random) -> str:
    blocks = rng.choice([4, 16, 40])
    _undo(project, rng)
    limit = f'trap "" XFSZ; ulimit -f {blocks}; exec "$@"'
    _run(["bash", "-c", limit, "-", *command(project, "--workers", "2")], {0, 1})
    return f"no file of more than {blocks} kB can be written"


def _damaged(project: Path, rng: random.Random) -> str:
    """Any file of the corpus, by any means; then commands that read it."""
    corpus = project / "corpus"
    files = sorted(path for path in corpus.rglob("*") if path.is_file())
    told = []
    for path in rng.sample(files, rng.choice([1, 1, 2, 5])):
        name, do = rng.choice(list(_DAMAGE.items()))
        do(path, rng, files)
        told.append(f"{path.relative_to(corpus)} {name}")
    for arguments in rng.sample([["sql", "FROM totals"], ["why", "https://site1.example/1"], ["report"]], 2):
        call = [sys.executable, "-m", "corpusmill", arguments[0], str(corpus), *arguments[1:]]
        _run(call, {0, 1, 2})
    _run(command(project, "--workers", "1"), {0, 1})
    return ", ".join(told)


def _cut(path: Path, rng: random.Random, _: list[Path]) -> None:
    path.write_bytes(path.read_bytes()[: rng.randint(0, path.stat().st_size)])


def _flip(path: Path, rng: random.Random, _: list[Path]) -> None:
    content = bytearray(path.read_bytes())
    for _ in range(rng.choice([1, 1, 100])):
        if content:
            content[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
    path.write_bytes(content)


def _replace(path: Path, rng: random.Random, files: list[Path]) -> None:
    others = [other for other in files if other.suffix == path.suffix and other.exists()]
    if others:
        path.write_bytes(rng.choice(others).read_bytes())


def _fill(path: Path, rng: random.Random, _: list[Path]) -> None:
    path.write_bytes(
        rng.choice([b"null", b"{}", b"[]", b"[1, 2]", b'"text"', b"{", b"\xff\xfe", b'{"stages": 1}', b"0"])
    )


_DAMAGE: dict[str, Callable[[Path, random.Random, list[Path]], None]] = {
    "deleted": lambda path, _, __: path.unlink(),
    "emptied": lambda path, _, __: path.write_bytes(b""),
    "cut off": _cut,
    "with flipped bits": _flip,
    "replaced by another": _replace,
    "with other content": _fill,
}


def main() -> None:
    """Rounds from a seed on; says what each did, and in the end which were not as they should be."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    settings = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        batch = Batch(Path(folder))
        failed = []
        for seed in range(settings.seed, settings.seed + settings.rounds):
            try:
                print(batch.round(seed), flush=True)
            except (AssertionError, subprocess.TimeoutExpired) as error:
                failed.append(seed)
                print(f"FAILED seed {seed}: {error}", flush=True)
    sys.exit(f"failed: {failed}" if failed else 0)


if __name__ == "__main__":
    main()
