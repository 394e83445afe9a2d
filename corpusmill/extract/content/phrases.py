"""What pages without main content say of themselves, in some thirty languages.

Two lists for every reason and language, in `phrases.toml`.  *Names* are what such a page is called: they count where
they make up at least half of a part of its title, or of a heading.  *Sayings* are sentences, or pieces of sentences,
of such pages: they count wherever they occur in a short text.  Both are compared folded: without case, accents and
punctuation, words parted by one space.  A phrase begins where a word begins; a name ends where one ends, a saying may
end within one, so that endings need no entries of their own.  In scripts without spaces, and in Korean, phrases begin
and end anywhere.

The phrases are written by hand: what well-known software prints (web servers, WordPress, phpBB, MediaWiki, Keycloak,
Cloudflare, domain parking) and its usual translations.  A language that is missing costs recall, never precision.
"""

import re
import tomllib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
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
_KEY_CHARS = 4, 2  # phrases are looked up by so many characters: at words, anywhere
_DOMAIN_NAME = re.compile(r"\b(?:[a-z0-9-]{1,63}\.){1,4}[a-z]{2,24}\b", re.IGNORECASE)

_STATUSES = "40[0-9]|41[0-8]|42[0-9]|451|50[0-9]|52[0-7]|530"
_ERRORS = (  # "error" in the languages of the table, and what else stands by a number
    "error errore erro erreur fehler fout fel fejl feil virhe błąd chyba hiba eroare greška грешка ошибка помилка "
    "σφάλμα hata خطأ خطا שגיאה lỗi 错误 錯誤 エラー 오류 http status code oops"
)


def fold(text: str) -> str:
    """Lower case, no accents, and one space for whatever is neither letter nor digit; a space at both ends."""
    text = text.casefold()
    if not text.isascii():
        text = _ACCENTS.sub("", normalize("NFKD", text)).replace("ı", "i")
    return f" {_BETWEEN_WORDS.sub(' ', text).strip()} "


_ERROR = "|".join(fold(error).strip() for error in _ERRORS.split())
_STATUS_NUMBER = re.compile(f" (?:(?:{_ERROR}) ?)*(?:{_STATUSES})(?: ?(?:{_ERROR}))* ")


def fold_name(text: str) -> str:
    """A title or heading folded, with the word "domain" for a domain name in it."""
    return fold(_DOMAIN_NAME.sub("domain", text))


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
            anywhere = _BEGINS_ANYWHERE.match(phrase) is not None
            assert len(phrase) >= _KEY_CHARS[anywhere], f"too short a phrase: {text}"
            (found.anywhere if anywhere else found.at_words)[phrase[: _KEY_CHARS[anywhere]]].append((phrase, reason))
        return found

    def found_in(self, folded: str) -> Iterator[tuple[str, Status]]:
        """The phrases that occur in a folded text, with their reasons."""
        yield from _found(folded, _WORD_START, self.at_words, _KEY_CHARS[False])
        if not folded.isascii():
            yield from _found(folded, _BEGINS_ANYWHERE, self.anywhere, _KEY_CHARS[True])


def _found(
    folded: str, starts: re.Pattern[str], phrases: Mapping[str, list[tuple[str, Status]]], n_chars: int
) -> Iterator[tuple[str, Status]]:
    for start in starts.finditer(folded):
        at = start.start()
        for phrase, reason in phrases.get(folded[at : at + n_chars], ()):
            if folded.startswith(phrase, at):
                yield phrase, reason


def called(folded: str) -> set[Status]:
    """The reasons one of whose names makes up at least NAMED_SHARE of a folded title or heading."""
    enough = NAMED_SHARE * (len(folded) - 2)
    return {
        reason
        for phrase, reason in _table("names").found_in(folded)
        if len(phrase) >= enough and (f"{phrase} " in folded or _BEGINS_ANYWHERE.match(phrase))
    }


def said(folded: str) -> set[Status]:
    """The reasons one of whose sayings occurs in a folded text."""
    return {reason for _, reason in _table("sayings").found_in(folded)}


@cache
def _table(use: str) -> Phrases:
    table = tomllib.loads(files("corpusmill").joinpath("extract/content/phrases.toml").read_text("utf-8"))
    return Phrases.of(
        (phrase, Status(reason))
        for reason, uses in table.items()
        for phrases in uses.get(use, {}).values()
        for phrase in phrases
    )
