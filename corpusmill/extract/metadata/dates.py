"""Dates as pages write them, normalised to ISO 8601.

Most dates already are ISO 8601.  The others are found by their shape, in this order:

1. the year first, separated by - / . or by the ideographs for year, month and day
2. three numbers, with the year last
3. the name of a month, with day and year

4. a year of a Japanese era or of the Republic of China; the Vietnamese word for month

Nothing is invented.  A date without a time stays a date, and a month stays a month.  A time without an offset gets no
offset.  Names of time zones other than UTC are left out.  Numbers that can be read in two ways (3/4/2025) are read by
the page's language.  If it does not tell, they are not a date, unless "PM" after them shows that they are American.
Years of the Buddhist era are converted.  Persian and Islamic dates are not read.

Tried and left out: dateutil takes 3/4/2025 for American, fills missing parts from today's date, and takes 50-100 µs.
dateparser knows 200 languages, but it guesses in the same way, and takes milliseconds.

Cost: 0.8 µs for ISO 8601, 5-15 µs for other forms.
"""

import re
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta, timezone
from operator import itemgetter

FIRST_YEAR, LAST_YEAR = 1990, 2050  # there was no Web before; 1970-01-01, 0001-01-01 and 2099-12-31 mean no date
BUDDHIST_ERA = 543
MAX_CHARS = 100

# Names of months as they are written in dates (CLDR).  Abbreviations are the beginnings of these names.
_MONTHS = """
January February March April May June July August September October November December
Januar Februar März April Mai Juni Juli August September Oktober November Dezember
janvier février mars avril mai juin juillet août septembre octobre novembre décembre
enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre
gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre
janeiro fevereiro março abril maio junho julho agosto setembro outubro novembro dezembro
januari februari maart april mei juni juli augustus september oktober november december
januari februari mars april maj juni juli augusti september oktober november december
januar februar marts april maj juni juli august september oktober november desember
stycznia lutego marca kwietnia maja czerwca lipca sierpnia września października listopada grudnia
ledna února března dubna května června července srpna září října listopadu prosince
januára februára marca apríla mája júna júla augusta septembra októbra novembra decembra
января февраля марта апреля мая июня июля августа сентября октября ноября декабря
січня лютого березня квітня травня червня липня серпня вересня жовтня листопада грудня
Ιανουαρίου Φεβρουαρίου Μαρτίου Απριλίου Μαΐου Ιουνίου Ιουλίου Αυγούστου Σεπτεμβρίου Οκτωβρίου Νοεμβρίου Δεκεμβρίου
ianuarie februarie martie aprilie mai iunie iulie august septembrie octombrie noiembrie decembrie
január február március április május június július augusztus szeptember október november december
tammikuuta helmikuuta maaliskuuta huhtikuuta toukokuuta kesäkuuta heinäkuuta elokuuta syyskuuta lokakuuta marraskuuta joulukuuta
Ocak Şubat Mart Nisan Mayıs Haziran Temmuz Ağustos Eylül Ekim Kasım Aralık
sausio vasario kovo balandžio gegužės birželio liepos rugpjūčio rugsėjo spalio lapkričio gruodžio
يناير فبراير مارس أبريل مايو يونيو يوليو أغسطس سبتمبر أكتوبر نوفمبر ديسمبر
ינואר פברואר מרץ אפריל מאי יוני יולי אוגוסט ספטמבר אוקטובר נובמבר דצמבר
Januari Februari Maret April Mei Juni Juli Agustus September Oktober November Desember
януари февруари март април май юни юли август септември октомври ноември декември
јануар фебруар март април мај јун јул август септембар октобар новембар децембар
januar februar mart april maj jun jul avgust septembar oktobar novembar decembar
siječnja veljače ožujka travnja svibnja lipnja srpnja kolovoza rujna listopada studenoga prosinca
gener febrer març abril maig juny juliol agost setembre octubre novembre desembre
jaanuar veebruar märts aprill mai juuni juuli august september oktoober november detsember
janvāris februāris marts aprīlis maijs jūnijs jūlijs augusts septembris oktobris novembris decembris
בינואר בפברואר במרץ באפריל במאי ביוני ביולי באוגוסט בספטמבר באוקטובר בנובמבר בדצמבר
ژانویه فوریه مارس آوریل مه ژوئن ژوئیه اوت سپتامبر اکتبر نوامبر دسامبر
ינו פבר מרס אפר מאי יונ יול אוג ספט אוק נוב דצמ
มค กพ มีค เมย พค มิย กค สค กย ตค พย ธค
जनवरी फ़रवरी मार्च अप्रैल मई जून जुलाई अगस्त सितंबर अक्टूबर नवंबर दिसंबर
มกราคม กุมภาพันธ์ มีนาคม เมษายน พฤษภาคม มิถุนายน กรกฎาคม สิงหาคม กันยายน ตุลาคม พฤศจิกายน ธันวาคม
"""  # noqa: E501


def _numbers() -> dict[str, int]:
    """Numbers of months by name, and by the first three letters or more.  If languages differ, the first counts."""
    languages = [list(enumerate(names.casefold().split(), 1)) for names in _MONTHS.strip().split("\n")]
    numbers = {name: number for names in reversed(languages) for number, name in names}
    for names in languages:
        beginnings = Counter(name[:length] for _, name in names for length in range(3, len(name)))
        for number, name in names:
            for length in range(3, len(name)):
                if beginnings[name[:length]] == 1:
                    numbers.setdefault(name[:length], number)
    return numbers


_MONTH_OF = _numbers()
_WORD = r"([^\W\d_][^\s\d.,:/()|•·⋅●-]{1,14})"
_YEAR = re.compile(r"\d{4}")  # every date contains this, so most texts without a date need one search only
_COARSE = re.compile(r"(\d{4})(?:[-/](\d{1,2}))?")
_EPOCH = re.compile(r"(?:/Date\()?(1\d{9})(?:\d{3})?(?:\)/)?")
_YEAR_FIRST = re.compile(r"(?<!\d)(\d{4})\s*[-/.年년\s]\s*(\d{1,2})\s*[-/.月월\s]\s*(\d{1,2})(?!\d)")
_FIGURES = re.compile(r"(?<!\d)(\d{1,2})\s?([./-])\s?(\d{1,2})\s?\2\s?(\d{4})(?!\d)")
_DAY_MONTH = re.compile(
    rf"(?<!\d)(\d{{1,2}})(?:st|nd|rd|th|er|º|ª)?[\s./-]*(?:de\s|of\s|d['’])?\s*{_WORD}[\s.,/-]*(?:de\s|del\s)?(\d{{4}})(?!\d)",
    re.IGNORECASE,
)
_MONTH_DAY = re.compile(
    rf"{_WORD}\.?\s+(\d{{1,2}})(?:st|nd|rd|th)?,?\s+(?:\d\d?:\d\d(?::\d\d)?\s+(?:[A-Z]{{3,5}}\s+)?)?(\d{{4}})(?!\d)",
    re.IGNORECASE,
)
_YEAR_MONTH_DAY = re.compile(rf"(?<!\d)(\d{{4}})\.?\s*(?:m\.\s)?{_WORD}\.?\s+(\d{{1,2}})(?!\d)")
_VIETNAMESE = re.compile(r"(?<!\d)(\d{1,2})\s+tháng\s+(\d{1,2}),?\s+(?:năm\s+)?(\d{4})(?!\d)", re.IGNORECASE)
_ERA = re.compile(r"(令和|平成|民國|民国)\s*(元|\d{1,3})\s*年\s*(\d{1,2})\s*月\s*(\d{1,2})\s*日")
_ERA_BEGINS = {"令和": 2018, "平成": 1988, "民國": 1911, "民国": 1911}  # the year before the first year
_THAI_DOT = re.compile(r"(?<=[ก-๙])\.")  # in abbreviations of months
_LANGUAGES = (  # in which the day is before the month
    "ar bg bn bs ca cs da de el es et fi fr gl hi hr id is it lv mk ms nb nl nn no pl pt ro ru sk sl sq sr sv ta th tr "
    "uk ur vi"
)
_DAY_FIRST = frozenset(_LANGUAGES.split())
_REGIONS = "gb uk au nz ie in za ng ke sg"  # where English has the day before the month
_ENGLISH_DAY_FIRST = frozenset(_REGIONS.split())
_TIME = re.compile(
    r"[^\d:]{0,12}(\d{1,2})[:h](\d\d)(?::(\d\d))?(?:[.,]\d+)?\s*(?:([ap])\.?m\b\.?)?\s*(UTC|GMT|Z\b)?\s*([+-]\d\d:?\d\d)?",
    re.IGNORECASE,
)


def is_day_first(language: str | None) -> bool | None:
    """Whether 3/4/2025 is the third of April in this language (a BCP 47 tag); None if readers differ."""
    primary, _, region = (language or "").lower().replace("_", "-").partition("-")
    if primary == "en":
        return False if region == "us" else True if region in _ENGLISH_DAY_FIRST else None
    return True if primary in _DAY_FIRST and region != "us" else None


def iso_date(text: str, *, day_first: bool | None = None) -> str | None:
    """A date (2025-04-03), a time (2025-04-03T17:05:00+02:00), a month or a year; None if there is no clear date.

    day_first: how 3/4/2025 is read; None: not at all
    """
    text = text.strip(" \t\r\n\"'")
    if not 4 <= len(text) <= MAX_CHARS:
        return None
    if not (year := _YEAR.search(text)):
        return _found(text, day_first) if "年" in text else None
    if year.start() > 0:
        return _found(text, day_first)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return _found(text, day_first)
    if not FIRST_YEAR <= moment.year <= LAST_YEAR:
        return _found(text, day_first)
    return text if len(text) == 10 and text[4] == "-" else _written(moment, dated_only=len(text) <= 10)


def dates_in(text: str, *, day_first: bool | None = None) -> Iterator[tuple[str, int, int]]:
    """The days in a text of one line, with the time if it follows, and where they begin and end."""
    at = 0
    while (_YEAR.search(text, at) or "年" in text) and (found := _first_day(text, at, day_first)) is not None:
        day, start, end = found
        iso, at = _with_clock(text, day, end)
        yield iso, start, at


def is_month(word: str) -> bool:
    """Whether a word is the name of a month or the beginning of one."""
    return word.casefold().rstrip(".,") in _MONTH_OF


def _found(text: str, day_first: bool | None) -> str | None:
    """The first date in a text that is not ISO 8601."""
    if coarse := _COARSE.fullmatch(text):
        return _coarse(int(coarse[1]), int(coarse[2]) if coarse[2] else None)
    if epoch := _EPOCH.fullmatch(text):
        return _written(datetime.fromtimestamp(int(epoch[1]), UTC))
    text = without_dots(text)
    found = next(_days(text, 0, day_first), None)
    return None if found is None or found[0] is None else _with_clock(text, found[0], found[2])[0]


def without_dots(text: str) -> str:
    """A text without the dots in Thai abbreviations, which the names of months here do not have."""
    return text if text.isascii() else _THAI_DOT.sub("", text)


def _with_clock(text: str, day: date, end: int) -> tuple[str, int]:
    """(the day, with the time that follows it; where this ends)."""
    clock = _TIME.match(text, end)
    at = _clock(clock) if clock else None
    if clock is None or at is None:
        return day.isoformat(), end
    return _written(datetime.combine(day, at)), clock.end()


def _first_day(text: str, at: int, day_first: bool | None) -> tuple[date, int, int] | None:
    found = [(day, start, end) for day, start, end in _days(text, at, day_first) if day is not None]
    return min(found, key=itemgetter(1), default=None)


def _coarse(year: int, month: int | None) -> str | None:
    if not FIRST_YEAR <= year <= LAST_YEAR or (month is not None and not 1 <= month <= 12):
        return None
    return f"{year}" if month is None else f"{year}-{month:02}"


def _days(text: str, at: int, day_first: bool | None) -> Iterator[tuple[date | None, int, int]]:
    """What each of the shapes finds first, and where; None for a day that does not exist or that is not clear."""
    if match := _YEAR_FIRST.search(text, at):
        yield _dated(int(match[1]), int(match[2]), int(match[3])), *match.span()
    if match := _FIGURES.search(text, at):
        yield _from_figures(text, match, day_first), *match.span()
    for shape, year, month, day in ((_DAY_MONTH, 3, 2, 1), (_MONTH_DAY, 3, 1, 2), (_YEAR_MONTH_DAY, 1, 2, 3)):
        for match in shape.finditer(text, at):
            if number := _MONTH_OF.get(match[month].casefold()):
                yield _dated(int(match[year]), number, int(match[day])), *match.span()
                break
    if not text.isascii():
        if match := _VIETNAMESE.search(text, at):
            yield _dated(int(match[3]), int(match[2]), int(match[1])), *match.span()
        if match := _ERA.search(text, at):
            year = _ERA_BEGINS[match[1]] + (1 if match[2] == "元" else int(match[2]))
            yield _dated(year, int(match[3]), int(match[4])), *match.span()


def _from_figures(text: str, match: re.Match[str], day_first: bool | None) -> date | None:
    """The day of three numbers with the year at the end."""
    day, month, year = int(match[1]), int(match[3]), int(match[4])
    if match[2] == "." or day > 12 or day == month or year > LAST_YEAR:  # years of Thailand, where the day is first
        return _dated(year, month, day)
    american = _TIME.match(text, match.end())
    if month > 12 or (american and american[4]) or day_first is False:
        return _dated(year, day, month)
    return _dated(year, month, day) if day_first else None


def _dated(year: int, month: int, day: int) -> date | None:
    if FIRST_YEAR + BUDDHIST_ERA <= year <= LAST_YEAR + BUDDHIST_ERA:
        year -= BUDDHIST_ERA
    if not FIRST_YEAR <= year <= LAST_YEAR:
        return None
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _clock(match: re.Match[str]) -> time | None:
    hour, minute, second = int(match[1]), int(match[2]), int(match[3] or 0)
    if match[4] and hour <= 12:
        hour = hour % 12 + (12 if match[4] in "pP" else 0)
    try:
        return time(hour, minute, second, tzinfo=_offset(match[5], match[6]))
    except ValueError:
        return None


def _offset(name: str | None, figures: str | None) -> timezone | None:
    if figures is None:
        return UTC if name else None
    minutes = int(figures[1:3]) * 60 + int(figures[-2:])
    return timezone(timedelta(minutes=-minutes if figures[0] == "-" else minutes))


def _written(moment: datetime, *, dated_only: bool = False) -> str:
    return moment.date().isoformat() if dated_only else moment.isoformat(timespec="seconds")
