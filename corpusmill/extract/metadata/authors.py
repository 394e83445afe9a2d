"""Names of authors, without the words and signs that pages put around them.

A text can name several authors.  Semicolons always separate them.  "and" and commas separate them only if there are
full names on both sides, because "Larsen, Karin" and "Karin Larsen, Lund" name one person.
"""

import re
from collections.abc import Iterable, Iterator
from itertools import islice, takewhile

MAX_AUTHORS = 50
MAX_CHARS = 150  # of a name
MAX_TEXTS, MAX_TEXT_CHARS, MAX_PARTS, MAX_PART_CHARS = 50, 5000, 200, 500
MAX_NAME_CHARS, MAX_NAME_WORDS = 50, 5  # of a name in a list

_BEFORE = re.compile(
    r"^(?:(?:(?:written|posted|published|words|story|text|article|reporting|report|reviewed|photos?)\s+)?by\b"
    r"|authors?\b|autor(?:en|in|es)?\b|auteurs?\b"
    r"|autore\b|text\s*:|作者|记者|記者|文(?=\s*[:：]))\s*[:：]?\s*"
    r"|^(?:von|par|por|di|door|av|af|от)\s*:?\s+(?=\S+\s+\S)",  # only before two names, because Von Miller is a name
    re.IGNORECASE,
)
_GLUED = re.compile(r"^(?:By|BY)(?=[A-ZÀ-ÖØ-Þ][a-zà-öø-ÿ]|[A-Z]{2})")  # "ByKarin Larsen", but not "Byron"
_ADDRESS = re.compile(
    r"[(<\[]?(?<![\w.+-])([.+-]*+)\b(?:mailto:)?[\w.+-]++@[\w-]+(?:\.[\w-]+)+\b[)>\]]?", re.IGNORECASE
)
_URL = re.compile(r"^(?:https?:)?//|^www\.|^@|^\S+\.(?:com|net|org)/|^/|^#", re.IGNORECASE)
_DOMAIN = re.compile(r"\s*\(\s*(?:https?://)?[\w-]++(?:\.[\w-]++)++[^()]*+\)")
_REPORTER = re.compile(r"\s*(?:기자|記者|记者)$")
_BEYOND = re.compile(
    r"\s+[|•·]\s.*|\s*\|.*|\s+https?://.*"
    r"|\s*(?:责任编辑|責任編輯|责编|編輯|编辑|来源|來源|校对|审核|时间|日期|出处|摄影)\s*[:：].*",
    re.DOTALL,
)
# The texts of links beside a name, as "More stories by Karin Larsen" and "See full bio".
_LINK = re.compile(
    r"^(?:(?:see|view|read|show|browse)\s+)?(?:all|more|other|latest|recent|further)?\s*"
    r"(?:stories|posts|articles|news|content|entries|works)\s+(?:written\s+)?(?:by|from|of)\s+"
    r"|^(?:follow|contact|email|e-mail|about|meet)\s+(?=\S+\s+\S)",
    re.IGNORECASE,
)
_NO_NAME = re.compile(
    r"^(?:(?:see|view|read|show)\s.*|(?:full\s+)?(?:bio(?:graphy)?|profile)|about(?:\s+the\s+authors?)?|follow|contact|more"
    r"|guest(?:\s+(?:user|author|post|contributor))?|user\s*name|user|(?:log|sign)\s*(?:in|out|up)|register"
    r"|my\s+account|(?:un)?subscribe|share|skip\s.*|by|(?:all|more)\s+(?:posts|stories|articles))$",
    re.IGNORECASE,
)
_ROLE = re.compile(  # what follows a name in the same line: the person's work, or a link to another site
    r"[\s,–—|/(-]+(?:(?:senior|staff|chief|lead|deputy|assistant|associate|contributing|managing|executive|special"
    r"|political|business|sports?|science|health|technology|tech|foreign|news|national|investigative|freelance|guest"
    r"|former|general|digital|web|data|features?|opinion|culture|travel|food|education|environment|economics|white\s+house"
    r"|editor-in-chief|co-?)[\s-]+)*"
    r"(?:writer|reporter|editor|correspondent|columnist|contributor|journalist|author|blogger|redakteur(?:in)?|redaktion"
    r"|journalistin?|autorin|reporterin|rédacteur|rédactrice|redactor[ae]?|periodista|giornalista|editor-in-chief"
    r"|photographer|critic|producer|intern|analyst|twitter|facebook|linkedin|instagram|mastodon|bluesky|e-?mail|rss"
    r"|follow|bio|profile|website|view)\b.*$",
    re.IGNORECASE | re.DOTALL,
)
_AND = re.compile(
    r"\s*[,，]?\s+(?:and|und|et|y|e|en|og|och|und|и|và|dan|ve|with)\s+|\s*&\s*|\s*[、，]\s*", re.IGNORECASE
)
_SEPARATOR = re.compile(r"[,，、&]|\s(?:and|und|et|y|e|en|og|och|i|и|và|dan|ve|with)\s", re.IGNORECASE)
_COMMA = re.compile(r"\s*,\s*")
_COMPANY = re.compile(
    r"\b(?:inc|ltd|llc|gmbh|corp|company|press|news|times|post|media|team|staff|agency|university|institute|department"
    r"|college|association|foundation|magazine|journal|network|group|redaktion|verlag|desk)\b",
    re.IGNORECASE,
)
_JOB = re.compile(
    r"^(?:from|in|at|for|on|of)\b|\b(?:writer|reporter|editor|correspondent|columnist|contributor|journalist|blogger|author"
    r"|redakteur(?:in)?|director|expert|founder|co-founder|reviewer|educator|specialist|manager|president|professor|chair"
    r"|dietitian|nutritionist|scientist|engineer|economist|researcher|analyst|chief|officer|consultant|coach|teacher"
    r"|lecturer|student|critic|photographer|producer|intern|horticulturalist|attorney|lawyer|doctor|nurse|pharmacist"
    r"|psychologist|therapist|physician|designer|developer|advisor|adviser|strategist|instructor|grader|certified|licensed"
    r"|[cv]eo|cto|cfo)\b",
    re.IGNORECASE,
)
_SMALL = "al and bin da de del den der di do dos du e el et ibn la le och of og the und van von y zu"
_PARTICLES = frozenset(_SMALL.split())
_PLACEHOLDERS = (
    "admin administrator anonymous author editor guest n/a nan nobody none null root superuser test undefined unknown "
    "user webmaster twitter facebook linkedin instagram email rss"
)
_NOBODY = frozenset(_PLACEHOLDERS.split())


def clean_authors(texts: Iterable[str]) -> tuple[str, ...]:
    """The names in these texts, each once, in order.  Mail addresses and addresses of profiles are not names."""
    found: dict[str, str] = {}
    parts = (part for text in islice(texts, MAX_TEXTS) for part in text[:MAX_TEXT_CHARS].split(";"))
    for part in islice(parts, MAX_PARTS):
        for name in filter(None, map(_clean, _listed(part[:MAX_PART_CHARS]))):
            found.setdefault(name.casefold(), name)
    return tuple(islice(found.values(), MAX_AUTHORS))


def is_name(text: str) -> bool:
    """Whether a text has few words and no digits, and each word begins with a capital or is a particle."""
    words = text.split()
    return (
        len(text) <= MAX_NAME_CHARS
        and len(words) <= MAX_NAME_WORDS
        and not any(map(str.isdigit, text))
        and not any(word[0].islower() and word not in _PARTICLES for word in words)
    )


def is_job(text: str) -> bool:
    """Whether a text says what somebody does, as "Marketing Director"."""
    return _JOB.search(text) is not None


def _listed(text: str) -> Iterator[str]:
    """The texts of a list of names, up to what a person does; the text itself if it is no such list."""
    if _SEPARATOR.search(text) is None:
        yield text
        return
    for pieces in ([name for group in _AND.split(text) for name in _COMMA.split(group)], _AND.split(text)):
        names = list(takewhile(_is_full_name, pieces))
        if names and (len(names) == len(pieces) or _JOB.search(pieces[len(names)])):
            yield from names
            return
    yield text


def _is_full_name(text: str) -> bool:
    """Whether a text is surely the whole name of a person: two words or more, or two to four ideographs."""
    name = _clean(text)
    if name is None or not is_name(name) or _COMPANY.search(name) or _JOB.search(text):
        return False
    return " " in name or (2 <= len(name) <= 4 and all("\u4e00" <= letter <= "\u9fff" for letter in name))


def _clean(text: str) -> str | None:
    text = " ".join(text.split())
    if _URL.match(text):
        return None
    if "@" in text:
        text = _ADDRESS.sub(r"\1", text)
    if "(" in text:
        text = _DOMAIN.sub("", text)
    text = _GLUED.sub("", _LINK.sub("", text))
    name = _BEYOND.sub("", _BEFORE.sub("", text))
    name = _without_role(name)
    name = _REPORTER.sub("", name.strip(" ,;:|-–—[]\"'"))
    if not 2 <= len(name) <= MAX_CHARS or name.casefold() in _NOBODY or not any(map(str.isalpha, name)):
        return None
    return None if _NO_NAME.match(name) else name


def _without_role(text: str) -> str:
    """The text before a role.  A role follows a single word only after a comma or the like: Rose Porter is a name."""
    if (role := _ROLE.search(text)) is None:
        return text
    name = text[: role.start()]
    return name if " " in name.strip() or not text[role.start()].isspace() else text
