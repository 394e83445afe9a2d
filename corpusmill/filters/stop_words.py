"""Stop words: how many different ones of its language's list a document holds (Gopher asks for two).

English has the eight words of Gopher.  The other lists hold the most frequent function words of their language, as
any concordance gives them; for Chinese and Japanese they are single characters.  A list is here only if it can be
relied on: of pieces of 50 words of the Universal Declaration of Human Rights at least 95 in 100 have two of its words
or more.  That leaves out languages that inflect where others use small words, such as Tamil.

Korean has particles and endings instead, which are parts of words: there, a word counts that ends in one of
`characters.KOREAN_ENDINGS`.  In Thai, Lao, Khmer and Burmese no space says where a word ends: there, a list's word is
found wherever its letters are, also within a longer word.
"""

import unicodedata
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from corpusmill.filters.shape import KOREAN_ENDING_SET, KOREAN_WORDS, Shape, measure_shape
from corpusmill.kernels import kernel

STOP_WORDS = {
    "en": "the be to of and that have with",
    "af": "die van en in is het dat nie te met vir wat op sy",
    "ar": "في من على أن إلى عن التي هذا كل ما لا أو ولا حق أي",
    "az": "və bir bu da də üçün ilə olan hər ki və ya onun",
    "be": "і у не на што з да як за або ад і ў ці яго",
    "bg": "и на в да не от се за по са с е или",
    "bn": "এবং ও এই করে না কোন যে বা প্রত্যেকের তার জন্য",
    "bo": "དང ལ ནི གི ཀྱི དུ ནས མི ཡིན པའི བའི",
    "br": "ar an ha da en eus hag e gant war zo",
    "bs": "i u je se na da za su od ili o s",
    "ca": "de la i que el en a les per un els o amb",
    "cs": "a se v na je že o s z do to i ve pro nebo k",
    "cy": "y a yn i o ar yr ac bod neu gan sydd",
    "da": "og i at det en er til af den på som for med eller",
    "de": "der die und in den von zu das mit sich des auf für ist im",
    "el": "και το να του η της με που την από για στο τα κάθε",
    "eo": "la de kaj en al ne estas por kun aŭ ĉiu",
    "es": "de la que el en y los se del las un por con una para",
    "et": "ja on ei et see oli ka kui aga mis või tema õigus igal",
    "eu": "eta da bat ez du ere dira edo dute den izan",
    "fa": "و در به از که این را با است هر یا",
    "fi": "ja on ei se että oli hän mutta tai kun joka ovat myös",
    "fr": "de la le et les des en un du une que est dans qui pour",
    "ga": "an na agus i ar is le go a do",
    "gl": "de a o e que do da en un para os ou",
    "gu": "અને છે તે કે આ માં નો અથવા હક્ક દરેક",
    "he": "של את על לא כל או זה עם כי הוא אל אדם",
    "hi": "के और का की में है को से पर हर या",
    "hr": "i u je se na da za su od ili o s",
    "hu": "a az és hogy nem is egy van ez meg csak vagy",
    "hy": "և է որ են ու կամ իր ունի",
    "id": "yang dan di dengan untuk dari dalam ini itu tidak pada atau",
    "is": "og að í á sem er til um það við eða",
    "it": "di e il la che in a per un del è non una i le",
    "ja": "の は を に が と で た す る",
    "km": "និង ជា ក្នុង បាន ការ ដែល ទៅ នៃ គ្រប់ មាន",
    "ka": "და არ რომ ეს უნდა ან აქვს თუ ამ ყველა ყოველ მისი",
    "lo": "ແລະ ໃນ ຂອງ ມີ ເປັນ ໄດ້ ທີ່ ການ ໃຫ້ ຈະ",
    "lt": "ir yra kad su į iš kaip bet tai ne ar turi",
    "lv": "un ir ar no par uz kas ka tā vai",
    "mk": "и на во да не од се за по со или",
    "mr": "आणि व या आहे किंवा ते हा नये सर्व हे आपल्या तो",
    "ms": "yang dan di dengan untuk dari dalam ini itu tidak pada atau",
    "my": "သည် ကို များ သော တွင် နှင့် ခွင့် ရန် ဖြစ် မှ",
    "ne": "र को मा छ हुन्छ गर्न लागि वा तथा कुनै छैन गर्ने यो",
    "nl": "de van het een en in is dat op te zijn met voor die",
    "nn": "og i det er ein av til på som for med at den",
    "no": "og i det er en av til på som for med at den",
    "pa": "ਅਤੇ ਦੇ ਦੀ ਦਾ ਹੈ ਨੂੰ ਵਿਚ ਤੋਂ ਜਾਂ",
    "pl": "w i na z się do nie to jest że o jak od przez lub",
    "pt": "de a o que e do da em um para com não uma os no",
    "ro": "de și în a la cu nu se o că pe din sau",
    "ru": "и в не на что с по как это он из за для или",
    "sh": "i u je se na da za su od ili o s",
    "sk": "a sa v na je že o s z do to aj vo pre alebo",
    "sl": "in je v na se da za ki so s z pa ali",
    "sq": "e të në dhe i me për që një nga së ose",
    "sr": "и у је се на да за су од или о с",
    "sv": "och i att det som en på är av för med till den",
    "sw": "na ya wa kwa ni katika la za kuwa au",
    "th": "ที่ และ การ ของ ใน เป็น มี ได้ ให้ ความ จะ",
    "tl": "ang ng sa na at mga ay ni para",
    "tr": "ve bir bu da de için ile olarak olan her daha veya ya ne gibi kadar hiç",
    "uk": "і в не на що з та до як у за від або",
    "ur": "اور کے میں کی سے کا ہے کو پر ہر یا",
    "vi": "và của là có trong được không cho các một người",
    "yi": "און פון פֿון אין די צו דער מיט אויף אױף אדער אָדער אַ",
    "zh": "的 是 在 不 了 有 和 人 一 为 為 这 這 以",
}
"""Language code -> its words, written as they are most often; capitalised and upper-case forms count as well."""

_SLOTS = 256
LONGEST = 5  # units of a word in scripts without spaces
MIX = np.uint64(0x9E3779B97F4A7C15)


@dataclass(frozen=True, slots=True, eq=False)
class StopWords:
    """Of n documents: different stop words (int32, null without a list), all occurrences (int64), is there a list."""

    different: pa.Array
    occurrences: npt.NDArray[np.int64]
    known: npt.NDArray[np.bool_]


def count_stop_words(shape: Shape, languages: pa.Array) -> StopWords:
    """The stop words of each document's language among its units."""
    codes = pa.array(list(STOP_WORDS), pa.string())
    rows = pc.index_in(languages, codes)
    row_of = np.array(rows.fill_null(-1), np.int32)
    different, occurrences = np.zeros(len(rows), np.int32), np.zeros(len(rows), np.int64)
    _count(shape.units.hashes, shape.units.ends, row_of, *_tables(), different, occurrences)
    korean = np.array(pc.fill_null(pc.equal(languages, "ko"), False), np.bool_)
    if korean.any():
        different[korean] = [bin(endings).count("1") for endings in shape.counts[korean, KOREAN_ENDING_SET].tolist()]
        occurrences[korean] = shape.counts[korean, KOREAN_WORDS]
    known = korean | (row_of >= 0)
    return StopWords(pa.array(different, mask=~known), occurrences, known)


@cache
def _tables() -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.int8], npt.NDArray[np.int8]]:
    """The lists as hash tables: hashes of words (lists, slots), their numbers (same; -1 where empty), longest."""
    keys = np.zeros((len(STOP_WORDS), _SLOTS), np.uint64)
    numbers = np.full((len(STOP_WORDS), _SLOTS), -1, np.int8)
    longest = np.ones(len(STOP_WORDS), np.int8)
    for row, words in enumerate(STOP_WORDS.values()):
        spellings = {spelling: number for number, word in enumerate(words.split()) for spelling in _spellings(word)}
        for spelling, number in spellings.items():
            key, units = _key(spelling)
            longest[row] = max(longest[row], units)
            slot = key % _SLOTS
            while numbers[row, slot] >= 0:
                slot = (slot + 1) % _SLOTS
            keys[row, slot], numbers[row, slot] = key, number
    assert longest.max() <= LONGEST
    return keys, numbers, longest


def _spellings(word: str) -> list[str]:
    """The ways to write a word: letter case, and letters with accents in one code point or two."""
    cases = {word, word.capitalize(), word.upper()}
    return sorted({unicodedata.normalize(form, case) for case in cases for form in ("NFC", "NFD")})


def _key(spelling: str) -> tuple[int, int]:
    """The hash of a word, as the kernel makes it of its units, and how many these are."""
    data = np.frombuffer(spelling.encode(), np.uint8)
    units = measure_shape(data, np.array([0, len(data)])).units
    hashes: list[int] = units.hashes[: units.ends[0]].tolist()
    key = hashes[0]
    for following in hashes[1:]:
        key = key * int(MIX) & 0xFFFFFFFFFFFFFFFF ^ following
    return key, len(hashes)


@kernel
def _number(key: np.uint64, keys: npt.NDArray[np.uint64], numbers: npt.NDArray[np.int8]) -> int:
    """The number of the word with this hash, or -1."""
    slot = int(key) & (_SLOTS - 1)
    while numbers[slot] >= 0:
        if keys[slot] == key:
            return int(numbers[slot])
        slot = (slot + 1) & (_SLOTS - 1)
    return -1


@kernel
def _count(
    unit_hashes: npt.NDArray[np.uint64],
    unit_ends: npt.NDArray[np.int64],
    rows: npt.NDArray[np.int32],
    keys: npt.NDArray[np.uint64],
    numbers: npt.NDArray[np.int8],
    longest: npt.NDArray[np.int8],
    different: npt.NDArray[np.int32],
    occurrences: npt.NDArray[np.int64],
) -> None:
    start = 0
    for document in range(len(unit_ends)):
        if rows[document] >= 0:
            key_row, number_row = keys[rows[document]], numbers[rows[document]]
            reach = longest[rows[document]]
            seen = 0  # bit set of words
            i = start
            while i < unit_ends[document]:
                key, step = unit_hashes[i], 1
                number = _number(key, key_row, number_row)
                for length in range(2, min(reach, unit_ends[document] - i) + 1):
                    key = key * MIX ^ unit_hashes[i + length - 1]
                    longer = _number(key, key_row, number_row)
                    if longer >= 0:
                        number, step = longer, length
                if number >= 0:
                    seen |= 1 << number
                    occurrences[document] += 1
                i += step
            while seen:
                different[document] += seen & 1
                seen >>= 1
        start = unit_ends[document]
