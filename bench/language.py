"""How often the language is right, and how fast: ours beside lingua, heliport, eldc, eld, py3langid and fastText.

    python bench/language.py FOLDER [--sizes 40 100 300 3000] [--with lingua heliport eldc eld py3langid fasttext]

FOLDER holds text files of one language each.  Their names start with an ISO 639-3 code (udhr2.zip of NLTK, unpacked).
Passages of each size, in characters, are cut evenly from a file.  A file *.tsv holds lines `CODE<TAB>SENTENCE`; each
line is one passage.  Only the 75 languages of lingua are asked for.

A cell has three figures.  The first is the share of right answers over all passages.  The second counts only languages
that every program got right at least once: a program cannot tell a language that it does not know.  The third is
documents per second.  Bokmal and Nynorsk count as Norwegian.  The standards of Serbo-Croatian count as one.

Peers are installed in the environment that runs this; those that are missing are left out.  Speed is documents per
second of processor time on one core, model loaded, best of three.
"""

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pyarrow as pa

from corpusmill.filters.codes import codes_of
from corpusmill.filters.language import identify

Tell = Callable[[list[str]], list[str]]
_LINGUA = (
    "af ar az be bg bn bs ca cs cy da de el en eo es et eu fa fi fr ga gu he hi hr hu hy id is it ja ka kk ko la lg lt "
    "lv mi mk mn mr ms no nn nl pa pl pt ro ru sk sl sn so sq sr st sv sw ta te th tl tn tr ts uk ur vi xh yo zh zu"
)
LINGUA = frozenset(_LINGUA.split())
SAME = {"nb": "no", "hr": "sh", "bs": "sh", "fil": "tl"}


def peers(names: Sequence[str]) -> dict[str, Tell]:
    """The programs that are installed, by name."""
    found: dict[str, Tell] = {"ours": lambda texts: [str(x) for x in identify(pa.array(texts))["language"].to_pylist()]}
    for name in names:
        try:
            found[name] = _PEERS[name]()
        except ImportError as error:
            print(f"{name}: left out: {error}", file=sys.stderr)
    return found


def _lingua() -> Tell:
    from lingua import LanguageDetectorBuilder

    detector = LanguageDetectorBuilder.from_all_languages().with_preloaded_language_models().build()

    def tell(texts: list[str]) -> list[str]:
        found = [detector.detect_language_of(text) for text in texts]
        return [language.iso_code_639_1.name.lower() if language else "" for language in found]

    return tell


def _heliport() -> Tell:
    from heliport import Identifier

    identifier = Identifier()
    return lambda texts: codes_of([str(identifier.identify(text)) for text in texts])


def _eldc() -> Tell:
    import eldc

    eldc.init()
    return lambda texts: [str(eldc.detect(text)) for text in texts]


def _eld() -> Tell:
    from eld import LanguageDetector

    detector = LanguageDetector()
    return lambda texts: [str(detector.detect(text).language) for text in texts]


def _py3langid() -> Tell:
    import py3langid

    return lambda texts: [py3langid.classify(text)[0] for text in texts]


def _fasttext() -> Tell:
    from importlib.resources import files

    import fasttext

    model = fasttext.load_model(str(files("corpusmill.filters") / "lid.176.ftz"))

    def tell(texts: list[str]) -> list[str]:
        labels, _ = model.predict([" ".join(text.split()) for text in texts])
        return [label[0].removeprefix("__label__") for label in labels]

    return tell


_PEERS = {
    "lingua": _lingua,
    "heliport": _heliport,
    "eldc": _eldc,
    "eld": _eld,
    "py3langid": _py3langid,
    "fasttext": _fasttext,
}


def passages(folder: Path, size: int) -> list[tuple[str, str]]:
    """(language, passage) pairs of at most `size` characters."""
    found = []
    for path in sorted(folder.rglob("*.t?[tv]")):
        content = path.read_text("utf-8")
        if path.suffix == ".tsv":
            rows = [line.partition("\t") for line in content.splitlines()]
            found += [(code, text) for code, _, text in rows if text]
            continue
        (code,) = codes_of([path.stem + "_"])
        text = " ".join(content.split())
        step = max(size, len(text) // 20)
        found += [(code, text[start : start + size]) for start in range(200, len(text) - size, step)]
    return [(code, text) for code, text in found if code in LINGUA]


def is_right(said: str, code: str) -> bool:
    """Whether an answer is the language."""
    said, code = SAME.get(said, said), SAME.get(code, code)
    return said == code or {said, code} == {"no", "nn"} or {said, code} == {"sh", "sr"}


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--sizes", type=int, nargs="+", default=[40, 100, 300, 3000])
    parser.add_argument("--with", dest="peers", nargs="*", default=list(_PEERS), choices=list(_PEERS))
    asked = parser.parse_args()
    programs = peers(asked.peers)
    print("| characters | passages | languages | " + " | ".join(programs) + " |")
    print("|---|---|---|" + "---|" * len(programs))
    for size in asked.sizes:
        rows = passages(asked.folder, size)
        texts = [text for _, text in rows]
        right = {
            name: [is_right(said, code) for said, (code, _) in zip(tell(texts), rows, strict=True)]
            for name, tell in programs.items()
        }
        known = set.intersection(
            *({code for hit, (code, _) in zip(hits, rows, strict=True) if hit} for hits in right.values())
        )
        common = [code in known for code, _ in rows]
        cells = []
        for name, tell in programs.items():
            sample = texts[:: max(1, len(texts) * size // 200_000)]
            seconds = min(_time(tell, sample) for _ in range(1 if name == "lingua" else 3))
            of_common = sum(hit and each for hit, each in zip(right[name], common, strict=True)) / sum(common)
            cells.append(f"{sum(right[name]) / len(rows):.1%}, {of_common:.1%}, {len(sample) / seconds:,.0f}")
        n_languages = f"{len({code for code, _ in rows})}, {len(known)}"
        print(f"| {size} | {len(rows)}, {sum(common)} | {n_languages} | " + " | ".join(cells) + " |", flush=True)


def _time(tell: Tell, texts: list[str]) -> float:
    started = time.process_time()
    tell(texts)
    return time.process_time() - started


if __name__ == "__main__":
    main()
