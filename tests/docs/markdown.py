"""What a page of the docs holds: blocks of code in order, files among them, sentences; and how its commands are run."""

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

ROOT = Path(__file__).parents[2]
TIMEOUT_S = 300
MOST_WORDS = 35  # of a sentence
RATE = re.compile(
    r"\b(?:ms|s|[kKMGT]?B|bits?|bytes?|nats?|tokens|pages|rows|requests|documents|words|letters|features|seconds|one|line)"
    r" an? (?:second|page|host|token|row|block|word|item|term|[kKMGT]?B|step|machine|core|band)\b"
)
BARE_DECIMAL = re.compile(r"(?<![\w.…)/*])\.\d")


@dataclass(frozen=True)
class Block:
    language: str
    text: str

    @property
    def file(self) -> tuple[str, bool] | None:
        """The file that a comment in the first line names, and whether the block is to be appended to it."""
        found = re.match(r"# (append to )?([\w./-]+\.(?:py|toml))\b", self.text)
        return (found[2], bool(found[1])) if found else None


def page(name: str) -> str:
    return (ROOT / name).read_text("utf-8")


def blocks(text: str, language: str | None = None) -> list[Block]:
    found = [Block(*each) for each in re.findall(r"^```(\w*)\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)]
    return [block for block in found if language in (None, block.language)]


def write_file(block: Block, folder: Path) -> None:
    """Write the block into the file that it names."""
    assert block.file is not None
    name, append = block.file
    content = block.text.split("\n", 1)[1] if append else block.text
    with (folder / name).open("a" if append else "w", encoding="utf-8") as file:
        file.write(content)


def run(command: str, folder: Path) -> str:
    """Run what a console block holds, in a shell that stops at the first error; returns the standard output."""
    names = "".join(f'{name}() {{ "$PYTHON" {how} "$@"; }}\n' for name, how in PROGRAMS.items())
    environment = os.environ | {"PYTHON": sys.executable, "COLUMNS": "120"}
    ran = subprocess.run(
        ["bash", "-c", f"set -e\n{names}{command}"],
        cwd=folder, env=environment, capture_output=True, text=True, timeout=TIMEOUT_S, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, f"{command}\n{ran.stdout}\n{ran.stderr}"
    return ran.stdout


PROGRAMS = {"corpusmill": "-m corpusmill", "python": ""}


def check_output(shown: str, printed: str, *, numbers: bool = True) -> None:
    """Every line that the page shows was printed, in this order.  '...' in a line stands for anything."""
    rest = iter(printed.splitlines())
    for line in shown.splitlines():
        if line.strip() == "...":
            continue
        pattern = ".*".join(map(re.escape, line.split("...")))
        if not numbers:  # other machines print others
            pattern = re.sub(r"\d+", r"\\d+", pattern)
        assert any(re.fullmatch(pattern, each) for each in rest), f"not printed: {line!r}\n{printed}"


def follow(text: str, folder: Path) -> None:
    """Do what a page says: write its files, run its commands, compare the output that it shows."""
    for block, after in pairwise([*blocks(text), Block("", "")]):
        if block.file is not None:
            write_file(block, folder)
        elif block.language == "console":
            printed = run(block.text, folder)
            if after.language == "text":
                trained = block.text.startswith("corpusmill train")
                check_output(after.text, printed, numbers=not trained)


def prose(text: str) -> list[str]:
    """The paragraphs, items and cells of a page, without code, links and headings."""
    text = re.sub(r"^```.*?^```$", "\n", text, flags=re.DOTALL | re.MULTILINE)
    text = re.sub(r"`[^`]*`", "code", re.sub(r"\]\([^)]*\)", "]", text))
    text = re.sub(r"^(#.*|<!--.*-->)$", "\n", text, flags=re.MULTILINE)
    text = re.sub(r"^(\|.*)$", lambda row: row[1].replace("|", "\n\n"), text, flags=re.MULTILINE)
    return [" ".join(each.split()) for each in re.split(r"\n\s*\n|\n(?= *(?:[-*]|\d+\.) )", text)]


def sentences(paragraph: str) -> list[str]:
    """Split at full stops, colons and semicolons that white space follows."""
    return re.split(r"(?<=[.!?:;])[\"')*\]]*\s+", paragraph)


def words(sentence: str) -> list[str]:
    return re.findall(r"\w[\w'’.,-]*", sentence)
