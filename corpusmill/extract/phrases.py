"""What pages without main content say of themselves, in some thirty languages.

Two lists for every reason and language, in `phrases.toml`.  *Names* are what such a page is called: they count where
they make up at least half of a part of its title, or of a heading.  *Sayings* are sentences, or pieces of sentences,
of such pages: they count wherever they occur in a short text.  Both are compared folded: without case, accents and
punctuation, words parted by one space.  A phrase begins where a word begins, and may end within one, so that endings
need no entries of their own; in scripts without spaces, and in Korean, it begins anywhere.

The phrases are written by hand: what well-known software prints (web servers, WordPress, phpBB, MediaWiki, Keycloak,
Cloudflare, domain parking) and its usual translations.  A language that is missing costs recall, never precision.
"""

import re
import tomllib
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from unicodedata import normalize

from corpusmill.reasons import Status

NAMED_SHARE = 0.5  # of a title's part or a heading

_ACCENTS = re.compile("[\u0300-\u036f\u0591-\u05c7\u064b-\u065f\u0670\u3099\u309a]")  # as NFKD parts them from letters
_BETWEEN_WORDS = re.compile(r"[\W_]+")
_WORD_START = re.compile(r"(?<= )\S")
# As NFKD writes them: Thai, Lao, Burmese, Korean, Khmer, kana, ideographs
_BEGINS_ANYWHERE = re.compile("[\u0e00-\u0eff\u1000-\u11ff\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff]")
_KEY_CHARS = 2

_STATUSES = "40[0-9]|41[0-8]|42[0-9]|451|50[0-9]|52[0-7]|530"
_ERROR = (  # "error" in the languages of the table, folded, and what else stands by the number
    "error|errore|erro|erreur|fehler|fout|fel|fejl|feil|virhe|bład|chyba|hiba|eroare|greska|грешка|ошибка|помилка|"
    "σφαλμα|hata|خطا|שגיאה|loi|错误|錯誤|エラー|오류|http|status|code|oops"
)
_STATUS_NUMBER = re.compile(f" (?:(?:{_ERROR}) ?)*(?:{_STATUSES})(?: ?(?:{_ERROR}))* ")


def fold(text: str) -> str:
    """Lower case, no accents, and one space for whatever is neither letter nor digit; a space at both ends."""
    text = text.casefold()
    if not text.isascii():
        text = _ACCENTS.sub("", normalize("NFKD", text)).replace("ı", "i")
    return f" {_BETWEEN_WORDS.sub(' ', text).strip()} "


def is_status_number(folded: str) -> bool:
    """Whether a folded title or heading is an HTTP status and nothing else: "404", "Erreur 404", "HTTP Status 500"."""
    return _STATUS_NUMBER.fullmatch(folded) is not None


@dataclass(frozen=True, slots=True)
class Phrases:
    """Phrases of all reasons, by their first characters: those that begin where words begin, and those anywhere."""

    at_words: dict[str, list[tuple[str, Status]]]
    anywhere: dict[str, list[tuple[str, Status]]]

    @staticmethod
    def of(phrases: Iterable[tuple[str, Status]]) -> "Phrases":
        """The phrases, unfolded, each with its reason."""
        found = Phrases(defaultdict(list), defaultdict(list))
        for text, reason in phrases:
            phrase = fold(text).strip()
            table = found.anywhere if _BEGINS_ANYWHERE.match(phrase) else found.at_words
            table[phrase[:_KEY_CHARS]].append((phrase, reason))
        return found

    def found_in(self, folded: str) -> Iterator[tuple[str, Status]]:
        """The phrases that occur in a folded text, with their reasons."""
        for starts, table in ((_WORD_START, self.at_words), (_BEGINS_ANYWHERE, self.anywhere)):
            for start in starts.finditer(folded):
                at = start.start()
                for phrase, reason in table.get(folded[at : at + _KEY_CHARS], ()):
                    if folded.startswith(phrase, at):
                        yield phrase, reason


def called(folded: str) -> set[Status]:
    """The reasons one of whose names makes up at least NAMED_SHARE of a folded title or heading."""
    enough = NAMED_SHARE * (len(folded) - 2)
    reasons = {reason for phrase, reason in _table("names").found_in(folded) if len(phrase) >= enough}
    return reasons | {Status.ERROR_PAGE} if is_status_number(folded) else reasons


def said(folded: str) -> set[Status]:
    """The reasons one of whose sayings occurs in a folded text."""
    return {reason for _, reason in _table("sayings").found_in(folded)}


@cache
def _table(use: str) -> Phrases:
    table = tomllib.loads(files("corpusmill").joinpath("extract/phrases.toml").read_text("utf-8"))
    return Phrases.of(
        (phrase, Status(reason))
        for reason, uses in table.items()
        for phrases in uses.get(use, {}).values()
        for phrase in phrases
    )
