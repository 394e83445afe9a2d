r"""Do the profiles `...@datatrove` decide as datatrove does?  Page by page, on real pages and on awkward texts.

    uv venv bench/.venv-datatrove
    uv pip install -p bench/.venv-datatrove/bin/python -r bench/peers/requirements-datatrove.txt
    python bench/conformance.py WCXB UDHR.zip --peers-python bench/.venv-datatrove/bin/python
    python bench/conformance.py WCXB UDHR.zip --peers-python ... --write docs/signals.md

WCXB is a folder with `html/ID.html.gz` and `ground-truth/ID.json`: of each page the reviewed text and the text that our
extractor finds.  UDHR.zip holds translations of the Universal Declaration of Human Rights.  The awkward texts are made
here.  Each text is judged by datatrove's four filters, with their default settings, and by the profiles; the first
reason must be the same.  With --write the table in the docs is renewed; the differences are printed in any case.
"""

import argparse
import gzip
import json
import random
import re
import subprocess
import tempfile
import zipfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pyarrow as pa

from corpusmill.extract.extractors import extractor
from corpusmill.filters.datatrove import measure_datatrove
from corpusmill.filters.profiles import built_in
from corpusmill.filters.signals import measure_texts
from corpusmill.page import Page

WORKER = Path(__file__).parent / "peers" / "datatrove_filters.py"

# rule of a profile -> (filter, its reason)
SAME = {
    "gopher@datatrove": {
        "short_document": ("gopher_quality", "gopher_short_doc"),
        "long_document": ("gopher_quality", "gopher_long_doc"),
        "short_words": ("gopher_quality", "gopher_below_avg_threshold"),
        "long_words": ("gopher_quality", "gopher_above_avg_threshold"),
        "hashes": ("gopher_quality", "gopher_too_many_hashes"),
        "ellipses": ("gopher_quality", "gopher_too_many_ellipsis"),
        "bullet_lines": ("gopher_quality", "gopher_too_many_bullets"),
        "ellipsis_lines": ("gopher_quality", "gopher_too_many_end_ellipsis"),
        "few_alphabetic_words": ("gopher_quality", "gopher_below_alpha_threshold"),
        "few_stop_words": ("gopher_quality", "gopher_enough_stop_words"),
        "empty": ("gopher_repetition", "empty"),
        "duplicate_paragraphs": ("gopher_repetition", "dup_para_frac"),
        "duplicate_paragraph_characters": ("gopher_repetition", "dup_para_char_frac"),
        "duplicate_lines": ("gopher_repetition", "dup_line_frac"),
        "duplicate_line_characters": ("gopher_repetition", "dup_line_char_frac"),
        **{f"top_{n}_gram": ("gopher_repetition", f"top_{n}_gram") for n in (2, 3, 4)},
        **{f"duplicate_{n}_grams": ("gopher_repetition", f"duplicated_{n}_n_grams") for n in range(5, 11)},
    },
    "c4@datatrove": {
        "lorem_ipsum": ("c4", "lorem_ipsum"),
        "curly_bracket": ("c4", "curly_bracket"),
        "few_sentences": ("c4", "too_few_sentences"),
    },
    "fineweb@datatrove": {
        "empty": ("fineweb", "empty"),
        "few_full_stops": ("fineweb", "line_punct_ratio"),
        "short_lines": ("fineweb", "short_line_ratio"),
        "duplicate_line_characters": ("fineweb", "char_dup_ratio"),
        "newlines": ("fineweb", "list_ratio"),
    },
}
FILTERS = ("gopher_quality", "gopher_repetition", "c4", "fineweb")


def real_pages(folder: Path) -> Iterator[tuple[str, str]]:
    """(kind, text): the reviewed text of each page, and what the extractor finds."""
    extract = extractor("corpusmill")
    for path in sorted((folder / "ground-truth").glob("*.json")):
        gold = json.loads(path.read_text("utf-8"))
        yield "reviewed text of web pages", gold["ground_truth"].get("main_content") or ""
        html = gzip.decompress((folder / "html" / f"{path.stem}.html.gz").read_bytes())
        yield "extracted text of web pages", extract(Page(body=html, url=gold.get("url"))).text


def translations(path: Path) -> Iterator[tuple[str, str]]:
    """(kind, text): the Universal Declaration of Human Rights."""
    with zipfile.ZipFile(path) as archive:
        for name in sorted(archive.namelist()):
            if name.endswith(".txt"):
                yield "Declaration of Human Rights", archive.read(name).decode("utf-8", "replace")


WORDS = [
    "the",
    "cat",
    "sat",
    "on",
    "mat",
    "and",
    "that",
    "have",
    "with",
    "of",
    "to",
    "be",
    "a",
    "I",
    "it's",
    "don't",
    "can't",
    "U.S.",
    "e.g.",
    "Mr.",
    "3.14",
    "10,000",
    "$5",
    "5km",
    "20%",
    "#tag",
    "well-known",
    "and/or",
    "http://example.com/a?b=c",
    "user@example.com",
    "end.Next",
    "(yes)",
    '"Go!"',
    "'tis",
    "it’s",
    "…",
    "...",
    "wait...",
    "•",
    "-",
    "*",
    "{",
    "}",
    "lorem",
    "ipsum",
    "[1]",
    "JavaScript",
    "[edit]",
    "naïve",
    "ÉTÉ",
    "ß",
    "日本語",
    "中文。",
    "한국어",
    "العربية",
    "हिन्दी",
    "ภาษา",
    "🙂",
    "👨\u200d👩\u200d👧",
    "❤️",
    "½",
    "²",
    "№",
    "°",
    "™",
    "—",
    "–",
    "a,",
    "b;",
    "c:",
    "d!",
    "e?",
    "x=y",
    "A.B.C.",
    ":-)",
    "I'm",
    "you're",
    "we've",
    "they'll",
    "he'd",
    "she's",
    "isn't",
    "5pm",
    "3-4",
    "foo/bar",
    "co-op",
    "1st",
    "O'Neil",
    "terms",
    "of",
    "use",
    "privacy",
    "policy",
]
WORDS += ["\u200b", "\u00a0", "\x00"]
SEPARATORS = (" ",) * 12 + (
    "\n",
    "\n\n",
    ".\n",
    ". ",
    "  ",
    "\t",
    "\r\n",
    "\u2028",
    "\x1c",
    "\u3000",
    "\n\n\n",
    "!\n",
    '."\n',
)


def awkward(n: int, seed: int = 15) -> Iterator[tuple[str, str]]:
    """(kind, text): generated texts, many of them near a threshold."""
    made = random.Random(seed)
    yield from (("awkward texts", text) for text in ("", " ", "\n", "\n\n\n", "a", ".", "\x00", "a" * 2000, "- " * 60))
    for number in range(n):
        words = made.choices(WORDS, k=made.randint(1, 12)) if number % 3 == 0 else list(WORDS)
        length = made.choice((5, 45, 60, 120, 400))
        parts = [made.choice(words) + made.choice(SEPARATORS) for _ in range(length)]
        if number % 4 == 1:  # a passage again
            start = made.randrange(length)
            parts += parts[start : start + made.randint(3, 40)]
        if number % 4 == 2:
            parts = [f"{made.choice(('•', '-', '*', ''))} {part}" for part in parts]
        yield "awkward texts", "".join(parts)
    for _ in range(n // 4):
        codes = (made.choice((0x7F, 0x24F, 0x2FFF, 0xFFFF, 0x1FFFF, 0x10FFFF)) for _ in range(made.randint(20, 300)))
        text = "".join(chr(made.randint(0, code)) for code in codes)
        yield "random characters", re.sub("[\ud800-\udfff]", "x", text)


def ours(texts: list[str]) -> list[dict[str, str | None]]:
    """The first rule of each profile that drops each text."""
    column = pa.array(texts, pa.large_string())
    pages = pa.table({"doc_id": [str(i) for i in range(len(texts))], "text": column})
    signals = measure_texts(pages, pa.nulls(len(texts), pa.string()))
    for name, values in measure_datatrove(column).items():
        signals = signals.append_column(name, values)
    found: list[dict[str, str | None]] = [{} for _ in texts]
    for profile, same in SAME.items():
        rules = built_in(profile).rules or []
        for wanted in FILTERS:
            own = [rule for rule in rules if same[rule.name][0] == wanted]
            if not own:
                continue
            cases = " ".join(f"WHEN {rule.expression} THEN '{same[rule.name][1]}'" for rule in own)
            rows = duckdb.sql(f"SELECT CASE {cases} END FROM signals").fetchall()
            for row, (reason,) in zip(found, rows, strict=True):
                row[wanted] = reason
    return found


def theirs(texts: list[str], python: str) -> list[dict[str, str | None]]:
    """Why each of datatrove's filters drops each text."""
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder, "texts.jsonl"), Path(folder, "decisions.jsonl")
        source.write_text("".join(json.dumps({"text": text}) + "\n" for text in texts), "utf-8")
        subprocess.run([python, str(WORKER), str(source), str(target)], check=True)
        return [json.loads(line) for line in target.read_text("utf-8").splitlines()]


def table(kinds: list[str], ours_: list[dict[str, str | None]], theirs_: list[dict[str, str | None]]) -> str:
    """By kind of text and filter: how many decisions differ, and how many reasons where both drop a text."""
    lines = ["| texts | number | " + " | ".join(FILTERS) + " |", "|---|---|" + "---|" * len(FILTERS)]
    for kind in dict.fromkeys(kinds):
        rows = [i for i, k in enumerate(kinds) if k == kind]
        cells = []
        for name in FILTERS:
            differ = sum((ours_[i][name] is None) != (theirs_[i][name] is None) for i in rows)
            reasons = sum(ours_[i][name] != theirs_[i][name] for i in rows) - differ
            cells.append(f"{differ} + {reasons}")
        lines.append(f"| {kind} | {len(rows)} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main() -> None:
    """Compare, and print or write what differs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("wcxb", type=Path)
    parser.add_argument("udhr", type=Path)
    parser.add_argument("--peers-python", required=True)
    parser.add_argument("--awkward", type=int, default=1500)
    parser.add_argument("--write", type=Path)
    parser.add_argument("--cache", type=Path, help="keep the texts and datatrove's decisions in this file")
    arguments = parser.parse_args()
    if arguments.cache and arguments.cache.exists():
        kinds, texts, judged = json.loads(arguments.cache.read_text("utf-8"))
    else:
        pairs = [*real_pages(arguments.wcxb), *translations(arguments.udhr), *awkward(arguments.awkward)]
        kinds, texts = [kind for kind, _ in pairs], [text for _, text in pairs]
        judged = theirs(texts, arguments.peers_python)
        if arguments.cache:
            arguments.cache.write_text(json.dumps([kinds, texts, judged]), "utf-8")
    found = ours(texts)
    result = table(kinds, found, judged)
    print(result)
    differences = Counter(
        (name, str(theirs_[name]), str(ours_[name]))
        for theirs_, ours_ in zip(judged, found, strict=True)
        for name in FILTERS
        if theirs_[name] != ours_[name]
    )
    for (name, their_reason, our_reason), n in differences.most_common():
        print(f"{n:5}  {name}: datatrove {their_reason}, ours {our_reason}")
    if arguments.write:
        page = arguments.write.read_text("utf-8")
        page, n = re.subn(
            r"(<!-- conformance: .*? -->\n).*?(?=<!-- end -->)", lambda m: f"{m[1]}{result}\n", page, flags=re.S
        )
        assert n == 1, "the page has no place for the table"
        arguments.write.write_text(page, "utf-8")


if __name__ == "__main__":
    main()
