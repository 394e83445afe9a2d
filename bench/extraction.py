r"""Compare main-content extractors on the same pages: word F1 by kind of page, precision, recall, pages per second.

    python bench/extraction.py FOLDER --peers-python bench/.venv-peers/bin/python
    python bench/extraction.py FOLDER --peers corpusmill resiliparse --rounds 5
    python bench/extraction.py FOLDER --predictions folds.jsonl --cache texts --json figures.json

FOLDER has one of two layouts:

    WCXB's development split    html/ID.html.gz, ground-truth/ID.json; kinds are the page types of WCXB
    pages in many languages     pages/LANGUAGE/NAME.html, gold/LANGUAGE/NAME.json

The second kind of gold has `text`, `title`, other `optional` text such as captions, and perhaps `kind`.  The default of
`kind` is the language.

The peers are installed in a separate environment with `bench/peers/requirements.txt`.  Each peer runs alone in one
process, and gets the pages as bytes (`bench/peers/worker.py`).  `word_scores.py` explains the scores.  Speed is pages
per second of processor time of all threads.  It includes decoding, but not import and compilation.  With --rounds the
peers take turns, and the shortest time of a page counts.  If a page raises an exception or takes more than a minute,
its text counts as empty.

The shipped model was trained on WCXB's pages, so its score on them would be too high.  Therefore --predictions names a
file of JSON lines with `id` and `text`, which training wrote for pages that its folds had not seen.  The row of
corpusmill then has the score of these texts, and the speed of the shipped model.  --cache keeps the texts and times of
the peers between runs.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path

from peers.worker import PEERS, READY
from word_scores import Mean, Score, benchmark_words, mean, score, words_of_all_scripts

WORKER = Path(__file__).parent / "peers" / "worker.py"
OURS = ("corpusmill", "corpusmill, text only")
PACE = "resiliparse"  # the peer that speeds are compared with
ALL = "all"
MOST_COLUMNS = 12


@dataclass(frozen=True)
class Page:
    """A page with its gold text."""

    id: str
    path: Path
    kind: str
    language: str
    gold: str
    optional: str  # text that counts neither as right nor as wrong: title and captions, if the gold leaves them out


@dataclass(frozen=True)
class Output:
    """The result of a peer for one page."""

    text: str
    seconds: float
    error: str | None


@dataclass(frozen=True)
class Row:
    """The figures of one extractor."""

    name: str
    kinds: dict[str, Mean]
    pages_per_s: float
    ratio: float | None  # its speed divided by that of PACE in this run
    failures: int
    errors: dict[str, int] = field(default_factory=dict)


def read_pages(folder: Path) -> tuple[list[Page], Callable[[str], Counter[str]]]:
    """The pages in the order of their ids, and the function that counts their words."""
    if (folder / "gold").is_dir():
        return [_language_page(path) for path in sorted((folder / "gold").glob("*/*.json"))], words_of_all_scripts
    return [_wcxb_page(path) for path in sorted((folder / "ground-truth").glob("*.json"))], benchmark_words


def _wcxb_page(path: Path) -> Page:
    truth = json.loads(path.read_bytes())
    return Page(
        id=path.stem,
        path=path.parent.parent / "html" / f"{path.stem}.html.gz",
        kind=truth["_internal"]["page_type"]["primary"],
        language="en",
        gold=truth["ground_truth"].get("main_content") or "",
        optional="",  # in this benchmark, all text outside the gold is wrong
    )


def _language_page(path: Path) -> Page:
    gold = json.loads(path.read_bytes())
    language = path.parent.name
    return Page(
        id=f"{language}/{path.stem}",
        path=path.parent.parent.parent / "pages" / language / f"{path.stem}.html",
        kind=gold.get("kind") or language,
        language=language,
        gold=gold["text"],
        optional="\n".join(gold.get(key) or "" for key in ("title", "optional")),
    )


def run_peer(name: str, python: Path, pages: list[Page]) -> dict[str, Output]:
    """The outputs of a peer by page.  If a page ends the process, it is a failure, and a new process does the rest."""
    outputs: dict[str, Output] = {}
    with tempfile.TemporaryDirectory() as folder:
        while left := [page for page in pages if page.id not in outputs]:
            listed = Path(folder) / "pages.jsonl"
            rows = ({"id": page.id, "path": str(page.path), "language": page.language} for page in left)
            listed.write_text("".join(json.dumps(row) + "\n" for row in rows))
            log = Path(folder) / "log"
            with log.open("w") as complaints:
                worker = subprocess.run(
                    [python, WORKER, name, listed], stdout=subprocess.PIPE, stderr=complaints, text=True, check=False
                )
            ready, *lines = worker.stdout.splitlines() or [""]
            if ready != READY:
                sys.exit(f"{name} does not run with {python}:\n{log.read_text()[-2000:]}")
            done = [json.loads(line) for line in lines]
            outputs |= {row["id"]: Output(row["text"], row["seconds"], row["error"]) for row in done}
            if len(done) < len(left):
                outputs[left[len(done)].id] = Output("", 0.0, f"the process ended ({worker.returncode})")
    return outputs


def cached(name: str, python: Path, pages: list[Page], cache: Path | None) -> dict[str, Output]:
    """The result of `run_peer`, or the content of the file that an earlier call wrote."""
    if cache is None:
        return run_peer(name, python, pages)
    file = cache / f"{name.replace(', ', '-').replace(' ', '-')}.jsonl"
    kept: dict[str, Output] = {}
    if file.exists():
        rows = map(json.loads, file.read_text().splitlines())
        kept = {row["id"]: Output(row["text"], row["seconds"], row["error"]) for row in rows}
    if missing := [page for page in pages if page.id not in kept]:
        kept |= run_peer(name, python, missing)
        cache.mkdir(parents=True, exist_ok=True)
        file.write_text("".join(json.dumps({"id": id, **asdict(output)}) + "\n" for id, output in kept.items()))
    return {page.id: kept[page.id] for page in pages}


def fastest(rounds: Iterable[dict[str, Output]]) -> dict[str, Output]:
    """The fastest output of each page."""
    best: dict[str, Output] = {}
    for outputs in rounds:
        for id, output in outputs.items():
            if id not in best or output.seconds < best[id].seconds:
                best[id] = output
    return best


def figures(
    name: str,
    outputs: dict[str, Output],
    pages: list[Page],
    words: Callable[[str], Counter[str]],
    pace: float | None,
    predictions: dict[str, str] | None = None,
) -> Row:
    """Scores by kind, and speed."""
    by_kind: dict[str, list[Score]] = defaultdict(list)
    for page in pages:
        text = outputs[page.id].text if predictions is None else predictions[page.id]
        result = score(words(text), words(page.gold), words(page.optional))
        by_kind[ALL].append(result)
        by_kind[page.kind].append(result)
    seconds = sum(output.seconds for output in outputs.values())
    errors = Counter((output.error or "").split(":")[0] for output in outputs.values() if output.error)
    return Row(
        name=name if predictions is None else f"{name} (cross-validated)",
        kinds={kind: mean(by_kind[kind]) for kind in [ALL, *sorted(by_kind.keys() - {ALL})]},
        pages_per_s=len(pages) / seconds,
        ratio=pace / seconds if pace else None,
        failures=errors.total(),
        errors=dict(errors.most_common()),
    )


def table(rows: list[Row]) -> str:
    """The figures in Markdown, the best extractor first; a column per kind, or a row per kind if there are too many."""
    rows = sorted(rows, key=lambda row: -row.kinds[ALL].f1)
    kinds = rows[0].kinds
    heads = [f"{kind} ({kinds[kind].pages})" for kind in kinds]
    f1 = [[_f1(row.kinds[kind]) for kind in kinds] for row in rows]
    rest = [_rest(row) for row in rows]
    columns = len(kinds) <= MOST_COLUMNS
    cells = [
        ["", *heads, *rest[0]],
        *([row.name, *scores, *others.values()] for row, scores, others in zip(rows, f1, rest, strict=True)),
    ]
    if not columns:
        cells = [list(column) for column in zip(*cells, strict=True)]
    lines = ["| " + " | ".join(line) + " |" for line in cells]
    return "\n".join([lines[0], "|---" * len(cells[0]) + "|", *lines[1:]])


def _f1(mean: Mean) -> str:
    return f"{mean.f1:.3f} ± {mean.error:.3f}" if mean.pages > 1 else f"{mean.f1:.3f}"


def _rest(row: Row) -> dict[str, str]:
    return {
        "mean of kinds": f"{statistics.fmean(mean.f1 for kind, mean in row.kinds.items() if kind != ALL):.3f}",
        "precision": f"{row.kinds[ALL].precision:.3f}",
        "recall": f"{row.kinds[ALL].recall:.3f}",
        "pages/s": f"{row.pages_per_s:,.0f}",
        f"× {PACE}": f"{row.ratio:.2f}" if row.ratio else "",
        "failed": str(row.failures),
    }


def read_predictions(file: Path, pages: list[Page]) -> dict[str, str]:
    """Texts by page.  Every page must have one."""
    rows = map(json.loads, file.read_text().splitlines())
    texts = {row["id"]: row["text"] for row in rows}
    if missing := [page.id for page in pages if page.id not in texts]:
        sys.exit(f"{file} has no text for {len(missing)} pages, the first of which is {missing[0]}")
    return texts


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--peers-python", type=Path, default=Path("bench/.venv-peers/bin/python"))
    parser.add_argument("--peers", nargs="+", choices=PEERS, default=list(PEERS), metavar="PEER", help=", ".join(PEERS))
    parser.add_argument("--pages", type=int, help="number of pages, spread evenly")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--predictions", type=Path)
    parser.add_argument("--cache", type=Path)
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    if asked.cache and asked.rounds > 1:
        parser.error("--rounds measures again, --cache reads old figures: give one of them")
    return asked


def main() -> None:
    """Print the table."""
    asked = arguments()
    pages, words = read_pages(asked.folder)
    if not pages:
        sys.exit(f"{asked.folder} has neither ground-truth/*.json nor gold/LANGUAGE/*.json")
    if asked.pages:
        pages = pages[:: max(1, len(pages) // asked.pages)][: asked.pages]
    predictions = read_predictions(asked.predictions, pages) if asked.predictions else None
    names = list(dict.fromkeys(asked.peers))
    turns: dict[str, list[dict[str, Output]]] = defaultdict(list)
    for turn in range(asked.rounds):
        for name in names:
            print(f"{name}, round {turn + 1} ...", file=sys.stderr)
            python = Path(sys.executable) if name in OURS else asked.peers_python
            turns[name].append(cached(name, python, pages, asked.cache))
    outputs = {name: fastest(turns[name]) for name in names}
    pace = sum(output.seconds for output in outputs[PACE].values()) if PACE in outputs else None
    rows = [figures(name, outputs[name], pages, words, pace, predictions if name in OURS else None) for name in names]
    print(table(rows))
    if asked.json:
        asked.json.write_text(json.dumps([asdict(row) for row in rows], indent=1) + "\n")


if __name__ == "__main__":
    main()
