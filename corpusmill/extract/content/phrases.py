"""Phrases of pages without main content, in about thirty languages.

`phrases.toml` has two lists for every reason and language:

- *Names* are what such a page is called.  They count if they are at least half of a heading, or of a part of the title.
- *Sayings* are sentences of such pages, or parts of sentences.  They count wherever they occur in a short text.

Both are compared without case, accents and punctuation, with one space between words ("folded").  A phrase begins where
a word begins.  A name ends where a word ends.  A saying may end inside a word, so inflected endings need no entries.
In scripts without spaces, and in Korean, phrases begin and end anywhere.

The phrases were written by hand: the messages of well-known software (web servers, WordPress, phpBB, MediaWiki,
Keycloak, Cloudflare, domain parking), and their usual translations.  A missing language reduces recall, but never
precision.
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
from corpusmill.scripts import WITHOUT_SPACES

NAMED_SHARE = 0.5  # of a heading, or of a part of a title

_ACCENTS = re.compile("[\u0300-\u036f\u0591-\u05c7\u064b-\u065f\u0670\u3099\u309a]")  # accents, in NFKD separate
_BETWEEN_WORDS = re.compile(r"[\W_]+")
_WORD_START = re.compile(r"(?<= )\S")
# Korean, as NFKD writes it, and scripts without spaces
_BEGINS_ANYWHERE = re.compile(
    f"[\u1100-\u11ff{''.join(f'{chr(first)}-{chr(last)}' for first, last in WITHOUT_SPACES)}]"
)
_KEY_CHARS = 4, 2  # number of characters for the look-up of phrases: at the beginning of words, anywhere
_DOMAIN_NAME = re.compile(r"\b(?:[a-z0-9-]{1,63}\.){1,4}[a-z]{2,24}\b", re.IGNORECASE)

_STATUSES = "40[0-9]|41[0-8]|42[0-9]|451|50[0-9]|52[0-7]|530"
_ERRORS = (  # "error" in the languages of the table, and other words beside a status number
    "error errore erro erreur fehler fout fel fejl feil virhe błąd chyba hiba eroare greška грешка ошибка помилка "
    "σφάλμα hata خطأ خطا שגיאה lỗi 错误 錯誤 エラー 오류 http status code oops"
)


def fold(text: str) -> str:
    """The text in lower case, without accents, with one space for all that is no letter or digit, and at both ends."""
    text = text.casefold()
    if not text.isascii():
        text = _ACCENTS.sub("", normalize("NFKD", text)).replace("ı", "i")
    return f" {_BETWEEN_WORDS.sub(' ', text).strip()} "


_ERROR = "|".join(fold(error).strip() for error in _ERRORS.split())
_STATUS_NUMBER = re.compile(f" (?:(?:{_ERROR}) ?)*(?:{_STATUSES})(?: ?(?:{_ERROR}))* ")


def fold_name(text: str) -> str:
    """A title or heading, folded.  A domain name in it is replaced with the word "domain"."""
    return fold(_DOMAIN_NAME.sub("domain", text))


def is_status_number(folded: str) -> bool:
    """Whether a folded title or heading is only an HTTP status: "404", "Erreur 404", "HTTP Status 500"."""
    return _STATUS_NUMBER.fullmatch(folded) is not None


@dataclass(frozen=True, slots=True)
class Phrases:
    """Phrases of all reasons by their first characters: those that begin where words begin, and those anywhere."""

    at_words: dict[str, list[tuple[str, Status]]]
    anywhere: dict[str, list[tuple[str, Status]]]

    @staticmethod
    def of(phrases: Iterable[tuple[str, Status]]) -> "Phrases":
        """Build the look-up from phrases that are not folded, each with its reason."""
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
    """The reasons with a name that makes up at least NAMED_SHARE of this folded title or heading."""
    enough = NAMED_SHARE * (len(folded) - 2)
    return {
        reason
        for phrase, reason in _table("names").found_in(folded)
        if len(phrase) >= enough and (f"{phrase} " in folded or _BEGINS_ANYWHERE.match(phrase))
    }


def said(folded: str) -> set[Status]:
    """The reasons with a saying that occurs in this folded text."""
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
