"""Names of authors, without the words and signs that pages put around them.

A text can name several authors.  Semicolons always separate them.  "and" and commas separate them only if there are
full names on both sides, because "Larsen, Karin" and "Karin Larsen, Lund" name one person.
"""

import html
import re
from collections.abc import Collection, Iterable, Iterator
from itertools import islice, takewhile

from corpusmill.extract.metadata.titles import squeezed

MAX_AUTHORS = 50
MAX_CHARS = 150  # of a name
MAX_TEXTS, MAX_TEXT_CHARS, MAX_PARTS, MAX_PART_CHARS = 50, 5000, 200, 500
MAX_NAME_CHARS, MAX_NAME_WORDS = 50, 5  # of a name in a list
MAX_PLAIN_WORDS = 3
MAX_ABBREVIATION = 5  # with its dot; the dot of a longer word is that of a sentence

# What stands before names: a preposition, often after a word for the work, or a label.
WORK = (
    r"written|posted|published|words|story|text|article|reporting|report(?:ed)?|reviewed|started|asked|created|submitted"
    r"|authored|compiled|contributed|post|geschrieben|veröffentlicht|verfasst|erstellt"
    r"|(?:eine?\s+)?(?:(?:gast)?beitrag|gastkommentar|kommentar|artikel|analyse|interview|bericht|rezension|essay|kolumne"
    r"|reportage)|écrit|publié|rédigé|posté|proposé|(?:un\s+)?texte|escrito|publicado|redactado|postado|enviado|texto"
    r"|scritto|pubblicato|articolo|inserito|postato|a\s+cura|testo|geschreven|gepubliceerd|geplaatst|skriven|skrevet"
    r"|publicerad|publisert|ditulis|scris"
)
PREPOSITION = r"by|von|par|por|di|door|av|af|от|oleh|bởi|โดย|מאת|بقلم|بواسطة"
LABEL = (
    r"authors?|autor(?:en|in|innen|es|as?|ka)?|auteurs?|autrice|autor[ei]|text[eo]?|tekst|testo|teksti|words|writer|reporter"
    r"|författare|skribent|forfatter|kirjoittaja|penulis|yazar|yazan|szerző|írta|tác\s+giả|napisała?|napsala?"
    r"|автор[ыи]?(?:\s+(?:статьи|текста|материала|публикации))?|текст|συντάκτης|κείμενο|ผู้เขียน|הכותב|लेखक|نویسنده"
    r"|الكاتبة?|كتبت?|المؤلف|تأليف|إعداد|بقلم"
)
LABEL_OF_IDEOGRAPHS = (
    r"作者|(?:本报|本報|本刊|本台|见习|實習|实习|特约)*(?:记者|記者)|撰文|撰稿人?|取材・文|文・写真|文字|文|著者|執筆者?|筆者|ライター"
    r"|글·사진|글쓴이|글|작성자|필자|저자|지은이"
)
_BEFORE = re.compile(
    rf"^(?:(?:(?:(?:{WORK}|photos?)\s+)?by\b|(?:{WORK})\s+(?:von|par|por|di|da|de|door|av|af)\b"
    rf"|authors?\b|autor(?:en|in|es)?\b|auteurs?\b|autore\b|(?:{LABEL})(?=\s*[:：])"
    rf"|(?:作者|记者|記者)|(?:{LABEL_OF_IDEOGRAPHS})(?=\s*[:：／/=＝・]))\s*[:：／/=＝・]?\s*"
    r"|(?:von|par|por|di|door|av|af|от|بقلم)\s*:?\s+(?=\S+\s+\S)"  # only before two names: Von Miller is a name
    r"|[\[(（【][^\])）】]{1,20}[\])）】]\s*(?=[가-힣])|[가-힣]{2,6}=(?=[가-힣])"  # the place of a report
    r"|(?-i:(?:person|account_circle|face|edit|create)\s+(?=[A-Z])))",  # the names of icons
    re.IGNORECASE,
)
_GLUED = re.compile(
    r"^(?:By|BY|Von|Par|Por|VON|PAR|POR)(?=[A-ZÀ-ÖØ-Þ][a-zà-öø-ÿ]|(?<=[A-Z])[A-Z]{2})"
)  # "ByKarin Larsen"
_GLUED_AND = re.compile(r"(?<=[a-zà-öø-ÿ])and(?=[A-ZÀ-ÖØ-Þ][a-zà-öø-ÿ])")
_ADDRESS = re.compile(
    r"[(<\[]?(?<![\w.+-])([.+-]*+)\b(?:mailto:)?[\w.+-]++@[\w-]+(?:\.[\w-]+)+\b[)>\]]?", re.IGNORECASE
)
_URL = re.compile(r"^(?:https?:)?//|^www\.|^@|^\S+\.(?:com|net|org)/|^/|^#", re.IGNORECASE)
_DOMAIN = re.compile(r"\s*\(\s*(?:https?://)?[\w-]++(?:\.[\w-]++)++[^()]*+\)")
_REPORTER = re.compile(r"\s*(?:기자|특파원|記者|记者|报道|報道|報導)$")
_BEYOND = re.compile(
    r"\s+[|•·]\s.*|\s*\|.*|\s+https?://.*|\s*[→›»].*|(?<=[^\x00-\u02ff])\s*／.*"
    r"|\s*(?:责任编辑|責任編輯|责编|編輯|编辑|来源|來源|校对|审核|时间|日期|出处|摄影|图|圖|写真|撮影|사진|편집)\s*[:：/].*"
    r"|[,.;]?\s+(?:photos?|photography|photographs|pictures?|pics|images?|illustrations?|fotos?|bild(?:er)?|фото|video)"
    r"\s*(?:[:：]|by\s|von\s).*",
    re.DOTALL | re.IGNORECASE,
)
_PLAIN = re.compile(r"[A-Za-z\u00c0-\u024f .,'’-]*")  # a text without the signs that _BEYOND needs
# The texts of links beside a name, as "More stories by Karin Larsen" and "See full bio".
_LINK = re.compile(
    r"^(?:(?:see|view|read|show|browse|learn|find\s+out)\s+)?(?:all|more|other|latest|recent|further)?\s*"
    r"(?:stories|posts|articles|news|content|entries|works)\s+(?:written\s+)?(?:by|from|of)\s+"
    r"|^(?:(?:see|view|read|show|browse|learn|find\s+out)\s+)?(?:all|more)\s+(?:by|from|of|about)\s+"
    r"|^(?:follow|contact|e-?mail|about|meet|visit(?!\s+the)|view|see|(?:avatar|photo|picture|image|profile|portrait)\s+(?:of|for))"
    r"\s+(?=\S+\s+\S)"
    r"|^(?:zeige\s+)?(?:alle|mehr|weitere)\s+(?:(?:beiträge|artikel|texte)\s+)?von\s+"
    r"|^(?:(?:voir|lire)\s+)?(?:tous\s+les|plus\s+d[e'’]|les)\s*(?:articles|publications|billets)\s+(?:de|par)\s+"
    r"|^(?:ver\s+)?(?:tod[ao]s|más|mais)\s+(?:[lao]{1,2}s\s+)?(?:entradas|publicaciones|artículos|posts|artigos|notas)\s+"
    r"(?:de|por)\s+|^(?:(?:vedi|leggi)\s+)?tutti\s+gli\s+articoli\s+di\s+|^(?:bekijk\s+)?alle\s+(?:berichten|artikelen)\s+van\s+"
    r"|^(?:(?:посмотреть|читать|показать)\s+)?все\s+(?:записи|статьи|публикации|материалы)\s+(?:автора\s+)?|^(?:查看|浏览|瀏覽)",
    re.IGNORECASE,
)
_END_OF_LINK = re.compile(
    r"['’]s(?:\s+(?:posts|articles|profile|bio(?:graphy)?|page|website|blog|stories|archive))?$|\s+(?:anzeigen|ansehen)$"
    r"|的(?:所有|全部|更多)?文章$|の(?:記事一覧|投稿一覧|他の記事|全投稿)(?:を表示|を見る)?$",
    re.IGNORECASE,
)
_LINKED = "'s posts articles profile biography bio page website blog stories archive anzeigen ansehen"
_ENDS_OF_LINKS = tuple(_LINKED.split())
_NO_NAME = re.compile(
    r"^(?:(?:see|view|read|show)\s.*|(?:full\s+)?(?:bio(?:graphy)?|profile)|about(?:\s+the\s+authors?)?|follow|contact|more"
    r"|guest(?:\s+(?:user|author|post|contributor))?|user\s*name|user|(?:log|sign)\s*(?:in|out|up)|register"
    r"|my\s+account|visit\s+the\s.*|(?:un)?subscribe|share|skip\s.*|by|(?:all|more)\s+(?:posts|stories|articles)"
    r"|(?:この|その)(?:著者|記事|ライター).*)$",
    re.IGNORECASE,
)
_ROLE = re.compile(  # what follows a name in the same line: the person's work, or a link to another site
    r"(?<![\s,–—|/(-])[\s,–—|/(-]++(?:(?:senior|staff|chief|lead|deputy|assistant|associate|contributing|managing|executive|special"
    r"|political|business|sports?|science|health|technology|tech|foreign|news|national|investigative|freelance|guest"
    r"|former|general|digital|web|data|features?|opinion|culture|travel|food|education|environment|economics|white\s+house"
    r"|editor-in-chief|co-?)[\s-]++)*"
    r"(?:writer|reporter|editor|correspondent|columnist|contributor|journalist|author|blogger|redakteur(?:in)?|redaktion"
    r"|journalistin?|autorin|reporterin|rédacteur|rédactrice|redactor[ae]?|periodista|giornalista|editor-in-chief"
    r"|photographer|critic|producer|intern|analyst|twitter|facebook|linkedin|instagram|mastodon|bluesky|e-?mail|rss"
    r"|follow|bio|profile|website|view|associated\s+press)\b.*$",
    re.IGNORECASE | re.DOTALL,
)
_AND = re.compile(
    r"\s*[,，]?\s+(?:and(?:\s+by)?|und|et|y|e|en|og|och|und|i|и|và|dan|ve|with|和|与|與|及|و)\s+|\s*&\s*|\s*[、，،/+]\s*"
    r"|(?<=[가-힣])·(?=[가-힣])|(?<=[一-鿿])・(?=[一-鿿])",
    re.IGNORECASE,
)
_SEPARATOR = re.compile(
    r"[,，、،&/+·・]|\s(?:and|und|et|y|e|en|og|och|i|и|và|dan|ve|with|和|与|與|及|و)\s", re.IGNORECASE
)
_COMMA = re.compile(r"\s*,\s*")
TITLE_AFTER = re.compile(  # belongs to the name before it
    r"(?:jr|sr|ii|iii|iv|ph\.?\s?d|m\.?d|m\.?p\.?h|m\.?sc?|m\.?a|m\.?b\.?a|b\.?a|r\.?n|r\.?d|esq|cpa|dds|dvm|phr)\.?",
    re.IGNORECASE,
)
_AFTER_NAME = re.compile(r"\s+[-–—/]\s+|/|\s+(?:for|via|special\s+to)\s+(?=(?:the\s+)?[A-ZÀ-Þ])")
_COMPANY = re.compile(
    r"\b(?:inc|ltd|llc|gmbh|corp|company|press|news|times|post|media|team|staff|agency|university|institute|department"
    r"|college|association|foundation|magazine|journal|network|group|redaktion|verlag|desk|cent(?:er|re)|society|council"
    r"|committee|board|office|ministry|bureau|alliance|union|reuters|bloomberg)\b",
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
_SMALL = (
    "af al and av bin bint da das de del della den der des di do dos du e el et ibn la las le los och of og op san "
    "'t te ten ter the und van vom von y zu zum zur"
)
_SMALL_BEGINNINGS = (
    "al-",
    "el-",
    "ul-",
    "ad-",
    "an-",
    "as-",
    "ar-",
    "d'",
    "d’",
    "l'",
    "l’",
    "'t",
    "’t",
    "de'",
    "dell'",
    "ibn-",
)
_PARTICLES = frozenset(_SMALL.split())
_PLACEHOLDERS = (
    "admin administrator administrador administrateur admin1 adm anonymous anonym anonyme anónimo anônimo author "
    "editor gast guest invitado invité n/a nan nobody none null root superuser test undefined unbekannt unknown user "
    "usuario webmaster twitter facebook linkedin instagram email rss moderator moderador default superadmin "
    "гость аноним админ администратор модератор неизвестно 관리자 익명 운영자 مدير المدير ضيف زائر مجهول "
    "管理员 管理員 匿名 佚名 网友 游客 小编 本站 原创 转载 未知 不详 无 管理人 ゲスト 名無しさん シェア フォロー "
    "责任编辑 責任編輯 责编 我来说两句 分享 关注 關注 打印 收藏 登录 注册 阅读 評論 评论"
)
_NOBODY = frozenset(_PLACEHOLDERS.split())
_BUTTONS = (  # a text that has no other words is that of a button, a menu or a heading
    "about account a add all an and archive archives article articles at author author's authors authors' back bio "
    "blog by category click close comment comments contact copy date download email facebook feed filed find follow "
    "for full google google+ here home homepage in instagram join latest learn leave letter like link linkedin listen "
    "log view login logout me menu message more my name news newer newest newsletter next now of older on online open "
    "our out page pinterest post posted posts popular previous print profile published read register related "
    "relevance reply report review reviews rss save search see send share show sign site skip story stories subscribe "
    "tags the this to today topic topics tweet twitter unfollow up update updated us view visit website whatsapp whom "
    "with write you your alle artikel beiträge drucken folgen kommentare mehr profil startseite teilen zum zur "
    "anmelden registrieren commenter imprimer lire partager plus suivre compartir imprimir leer más seguir entradas "
    "autores autoren auteurs авторы читать поделиться подписаться все записи автора войти"
)
_INTERFACE = frozenset(_BUTTONS.split())


_SPECIAL = _INTERFACE | _NOBODY  # words that the patterns above know
for _pattern in (_BEFORE, _GLUED, _BEYOND, _LINK, _END_OF_LINK, _NO_NAME, _ROLE, _AFTER_NAME):
    _SPECIAL |= frozenset(re.findall(r"[^\W\d_]{2,}", _pattern.pattern.lower()))


def clean_authors(texts: Iterable[str], sites: Collection[str] = ()) -> tuple[str, ...]:
    """The names in these texts, each once, in order.  Mail addresses and addresses of profiles are not names.

    sites: names of the site, as `squeezed` writes them; they are removed from the ends of names
    """
    found: dict[str, str] = {}
    parts = (part for text in islice(texts, MAX_TEXTS) for part in _resolved(text[:MAX_TEXT_CHARS]).split(";"))
    for part in islice(parts, MAX_PARTS):
        for name in filter(None, (_clean(text, sites) for text in _listed(part[:MAX_PART_CHARS], sites))):
            found.setdefault(name.casefold(), name)
    return tuple(islice(found.values(), MAX_AUTHORS))


def _resolved(text: str) -> str:
    return html.unescape(text) if "&" in text else text


def is_name(text: str) -> bool:
    """Whether a text has few words and no digits, and each word begins with a capital or is a particle."""
    words = text.split()
    return (
        len(text) <= MAX_NAME_CHARS
        and len(words) <= MAX_NAME_WORDS
        and not any(map(str.isdigit, text))
        and not any(
            word[0].islower() and word not in _PARTICLES and not word.startswith(_SMALL_BEGINNINGS) for word in words
        )
    )


def is_job(text: str) -> bool:
    """Whether a text says what somebody does, as "Marketing Director"."""
    return _JOB.search(text) is not None


def is_full_name(text: str, sites: Collection[str] = ()) -> bool:
    """Whether a text is surely the whole name of a person: two words or more, or two to four ideographs."""
    name = _clean(text, sites)
    if name is None or not is_name(name) or _COMPANY.search(name) or _JOB.search(text) or squeezed(name) in sites:
        return False
    return " " in name or is_east_asian_name(name)


def is_east_asian_name(text: str) -> bool:
    """Whether a text has two to four ideographs or syllables of Hangul, or up to six with Kana."""
    length = len(text)
    return 2 <= length <= 6 and (
        (
            length <= 4
            and (all("\u4e00" <= letter <= "\u9fff" for letter in text) or all("가" <= x <= "힣" for x in text))
        )
        or (all("\u3041" <= letter <= "\u9fff" for letter in text) and text[0] >= "\u4e00")
    )


def _listed(text: str, sites: Collection[str]) -> Iterator[str]:
    """The texts of a list of names, without what these persons do; the text itself if it is no such list."""
    text = _GLUED_AND.sub(" and ", text)
    if _SEPARATOR.search(text) is None:
        yield text
        return
    for pieces in (_with_titles(text), [piece for piece in _AND.split(text) if piece]):
        full = [is_full_name(piece, sites) for piece in pieces]
        is_alternating = (
            len(full) % 2 == 0 and all(full[::2]) and not any(full[1::2])
        )  # each name with what this person does
        known = all(its or _is_beside(piece, sites) for piece, its in zip(pieces, full, strict=True))
        if full and known and (all(full) or is_alternating):
            yield from (piece for piece, its in zip(pieces, full, strict=True) if its)
            return
    names = list(takewhile(lambda piece: is_full_name(piece, sites), pieces := _with_titles(text)))
    if names and len(names) < len(pieces) and _is_beside(pieces[len(names)], sites):
        yield from names
    else:
        yield text


def _with_titles(text: str) -> list[str]:
    """The pieces between "and" and commas; a title as "PhD" is not a piece of its own."""
    pieces: list[str] = []
    for piece in (name for group in _AND.split(text) for name in _COMMA.split(group)):
        if pieces and TITLE_AFTER.fullmatch(piece):
            pieces[-1] += f", {piece}"
        elif piece:
            pieces.append(piece)
    return pieces


def _is_beside(text: str, sites: Collection[str]) -> bool:
    """Whether a text says what the person before it does, or for whom."""
    return _JOB.search(text) is not None or squeezed(text) in sites


def _clean(text: str, sites: Collection[str] = ()) -> str | None:
    words = text.split()
    text = " ".join(words)
    if 2 <= len(words) <= MAX_PLAIN_WORDS and _is_plain(text):
        return text
    if _URL.match(text) or _INTERFACE.issuperset(text.casefold().strip(" .:!?→»…").split()):
        return None
    if "@" in text:
        text = _ADDRESS.sub(r"\1", text).partition("@")[0]
    if "(" in text:
        text = _DOMAIN.sub("", text).strip().rstrip(" (")
        if text.startswith("(") and text.endswith(")"):
            text = text[1:-1]
    text = _after(_LINK, text.rstrip(" →›»>…"))
    if not text.isascii() or text.endswith(_ENDS_OF_LINKS):
        text = _END_OF_LINK.sub("", text)
    name = _after(_BEFORE, _after(_GLUED, text))
    if _PLAIN.fullmatch(name) is None or " by " in name or " von " in name:
        name = _BEYOND.sub("", name)
    name = _without_role(name).strip(" ,;:|-–—[]\"'")
    if not name.isascii():
        name = _REPORTER.sub("", name)
    name = _without_employer(name, sites)
    name = name.rstrip(" /")
    if name.endswith(".") and len(name.rpartition(" ")[2]) > MAX_ABBREVIATION:
        name = name[:-1]
    if not 2 <= len(name) <= MAX_CHARS or name.casefold() in _NOBODY or not any(map(str.isalpha, name)):
        return None
    return None if _NO_NAME.match(name) or _INTERFACE.issuperset(name.casefold().split()) else _once(name)


def _is_plain(text: str) -> bool:
    """Whether a text is a name from which nothing is to be removed, as most are."""
    return text.istitle() and text.replace(" ", "").isalpha() and _SPECIAL.isdisjoint(text.casefold().split())


def _after(pattern: re.Pattern[str], text: str) -> str:
    """The text after a match at its beginning."""
    match = pattern.match(text)
    return text[match.end() :] if match else text


def _without_employer(name: str, sites: Collection[str]) -> str:
    """A person's name without the employer after it."""
    if sites and (comma := name.rpartition(",")[2]) != name and squeezed(comma) in sites:
        name = name[: -len(comma) - 1].rstrip()
    after = _AFTER_NAME.search(name)
    if after is None:
        return name
    person = name[: after.start()]
    return person if " " in person and is_name(person) and not _COMPANY.search(person) else name


def _once(name: str) -> str:
    """A name that is written twice, as that of a portrait and of its link, once."""
    half = len(name) // 2
    return name[:half] if name[:half] == name[half + 1 :] and " " in name[:half] and name[half] == " " else name


def _without_role(text: str) -> str:
    """The text before a role.  A role follows a single word only after a comma or the like: Rose Porter is a name."""
    if (role := _ROLE.search(text)) is None:
        return text
    name = text[: role.start()]
    return name if " " in name.strip() or not text[role.start()].isspace() else text
