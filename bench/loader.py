"""Training loaders side by side: tokens per second, time to resume, and whether a resume is exact.

    uv venv bench/.venv-loaders
    uv pip install -p bench/.venv-loaders/bin/python -r bench/peers/requirements-loaders.txt
    python bench/loader.py --peers bench/.venv-loaders/bin/python --tokens 32000000

All read the same generated documents (`loader_corpus.py`): corpusmill and HF datasets from the corpus's Parquet shards,
litdata and MosaicML streaming from files of their own, with rows that were packed before.  Rounds alternate, and the
fastest counts.  Speed is in processor time, of one process without workers, so a busy machine changes it little.

A resume is exact if the rows after it are those of the loader that was not interrupted: with as many workers as before
(0), or with 2 instead of 0.  `lost` counts rows of the uninterrupted loader that the resumed one did not give.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from loader_corpus import make_corpus

PEERS = ("corpusmill", "datasets", "litdata", "mosaicml")
WORKER = Path(__file__).with_name("peers") / "loaders.py"
ROWS = 32


class Bench:
    """The loaders, their data, and the folder of both."""

    def __init__(self, folder: Path, python: Path | None, row_length: int) -> None:
        self.folder, self.python, self.row_length = folder, python, row_length
        self.names = PEERS if python is not None else PEERS[:1]

    def _call(self, name: str, *arguments: object) -> str:
        python = sys.executable if name == "corpusmill" else str(self.python)
        command = [python, str(WORKER), *map(str, arguments)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=1800)
        if done.returncode:
            raise SystemExit(f"{name}: {done.stderr[-2000:]}")
        return done.stdout

    def prepare(self, corpus: Path) -> None:
        """Write the tokens as each peer reads them."""
        for name in self.names:
            if not (self.folder / name).exists():
                self._call(name, "prepare", name, corpus, self.folder / name, self.row_length)

    def run(self, name: str, first: int, last: int, workers: int, stop: int = 0) -> dict[str, Any]:
        """Make batches; see `peers/loaders.py`."""
        place = self.folder / f"{name}.state"
        out = self._call(name, "run", name, self.folder / name, self.row_length, first, last, workers, place, stop)
        found: dict[str, Any] = json.loads(out.splitlines()[-1])
        return found

    def resumed(self, name: str, whole: list[str], stop: int, last: int) -> str:
        """How the rows after a resume with two workers differ from those of the uninterrupted loader."""
        try:
            return self.compared(self.run(name, stop, last, 2)["rows"], whole, stop)
        except SystemExit as error:
            return f"fails ({str(error).strip().splitlines()[-1][:80]})"

    @staticmethod
    def compared(found: list[str], whole: list[str], stop: int) -> str:
        """How rows differ from those of the uninterrupted loader."""
        wanted = whole[stop * ROWS :]
        if found == wanted:
            return "exact"
        return f"other rows ({len(set(wanted) - set(found))} of {len(wanted)} lost, or later)"


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peers", type=Path, help="Python of the environment with the peers; without it, ours only")
    parser.add_argument("--folder", type=Path, help="keep corpus and data there")
    parser.add_argument("--tokens", type=int, default=32_000_000)
    parser.add_argument("--row-length", type=int, default=2048)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        corpus = make_corpus(folder / "corpus", options.tokens)
        bench = Bench(folder, options.peers, options.row_length)
        bench.prepare(corpus.folder)
        last = int(0.6 * options.tokens / options.row_length / ROWS)
        stop = last // 2
        runs: dict[str, list[dict[str, Any]]] = {name: [] for name in bench.names}
        resumes: dict[str, list[dict[str, Any]]] = {name: [] for name in bench.names}
        for _ in range(options.rounds):
            for name in bench.names:
                runs[name].append(bench.run(name, 0, last, 0, stop))
                resumes[name].append(bench.run(name, stop, last, 0))
                print(f"{name}: {runs[name][-1]['processor_s']:.2f} s", file=sys.stderr, flush=True)
        tokens = (last - 1) * ROWS * options.row_length
        print(f"{'':12} {'M tokens/s':>10} {'first batch':>12} {'resume':>18}   same workers / 2 instead of 0")
        for name in bench.names:
            speed = tokens / min(each["processor_s"] for each in runs[name]) / 1e6
            first = min(each["first_s"] for each in runs[name])
            again = min(resumes[name], key=lambda each: each["first_s"])
            whole = runs[name][0]["rows"]
            exact = [bench.compared(again["rows"], whole, stop), bench.resumed(name, whole, stop, last)]
            used = f"{again['first_s']:.2f} s ({again['first_processor_s']:.2f} cpu)"
            print(f"{name:12} {speed:10.1f} {first:10.2f} s {used:>18}   {' / '.join(exact)}", flush=True)


if __name__ == "__main__":
    main()
