"""English words as datatrove counts them: those of spaCy's rule-based tokenizer, which its filters call.

A chunk between white space is a token, less what is split off at its ends and inside it: punctuation, quotes, symbols,
units after digits, `'s`.  Some strings are split as `exceptions` says, or not at all, and so are web addresses.  Here
are spaCy's character classes and lists, as facts; the kernel that follows them is in `corpusmill.filters.datatrove`.
What is an exception together is joined again where other characters stood beside it (`hello:)`).
"""

import unicodedata
from collections.abc import Iterator
from functools import cache

import numpy as np
import numpy.typing as npt

from corpusmill.filters.characters import N_CODE_POINTS, TERMINALS

SPACE = 1  # Python's str.isspace
BREAK = 2  # where str.splitlines ends a line
SYMBOL = 4  # punctuation to datatrove: a word of nothing else is not counted
ALPHA = 8  # Python's str.isalpha
PREFIX = 16  # split off at the start of a chunk
SUFFIX = 32  # split off at the end of a chunk
ICON = 64  # a symbol that is a token wherever it stands
LOWER = 128  # spaCy's lower-case letters and those of scripts without case
UPPER = 256  # its upper-case letters, and again those without case
QUOTE = 512
DIGIT = 1024  # 0 to 9
DOTTABLE = 2048  # a full stop at the end is split off after it
CURRENCY = 4096
PUNCTUATION = 8192  # category P
FULL_STOP = 16384  # a token that ends a sentence
TERMINAL = 32768  # a line that ends with it is a sentence, to FineWeb
OTHER = 65536  # neither letter nor digit nor mark: the chunk may be more than one token
DECIMAL = 131072  # a digit of any script

_MARKS = "…,:;!?¿؟¡()[]{}<>_#*&。？！，、；：～·।،۔؛٪"
_QUOTES = "'\"”“`‘´’‚,„»«「」『』（）〔〕【】《》〈〉\u2329\u232a⟦⟧"
_CURRENCY = "$£€¥฿₽﷼₴₠₡₢₣₤₥₦₧₨₩₪₫₭₮₯₰₱₲₳₵₶₷₸₹₺₻₼₾₿"
_DATATROVE_SYMBOLS = "!/—”:％１〈&(、━\\【#%「」，】；+^]~“《„';’{|∶´[=-`*．（–？！：$～«〉,><》)?）。…@_.\"}►»"
_MORE_TERMINALS = "៖៙៚\U00011f43\U00011f44"
_NOT_TERMINALS = "༎།"  # ours, not datatrove's
_NO_FULL_STOPS = "࠾࠷៕𐽙⹓།𑥄𐽖༎𐾈؝᭾⹔។𐾉𐽘𑻷𐾆𑻸𐽕؞𐽗࠹𖺘᭽𐾇࠽𑥆"  # datatrove's terminals, which end no sentence in spaCy
_WITHOUT_CASE = (  # scripts: Hebrew, Arabic and Persian, Devanagari to Sinhala, Hangul, kana, Han, Ethiopic
    *((0x591, 0x5F4), (0x620, 0x64A), (0x66E, 0x6D5), (0x6E5, 0x6FF), (0x750, 0x77F), (0x8A0, 0x8BD), (0x900, 0x97F)),
    *((0x980, 0x9FF), (0xA80, 0xAFF), (0xB80, 0xBFF), (0xC00, 0xC7F), (0xC80, 0xCFF), (0xD00, 0xD7F), (0xD80, 0xDFF)),
    *((0x1100, 0x11FF), (0x1200, 0x137F), (0x2E80, 0x2FDF), (0x2FF0, 0x303F), (0x3040, 0x30FF), (0x31C0, 0x31EF)),
    *((0x3200, 0x33FF), (0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xAC00, 0xD7AF), (0xF900, 0xFAFF), (0xFB1D, 0xFB4F)),
    *((0xFE30, 0xFE4F), (0x20000, 0x2EBEF), (0x2F800, 0x2FA1F)),
)
UNITS = (
    "km km² km³ m m² m³ dm dm² dm³ cm cm² cm³ mm mm² mm³ ha µm nm yd in ft kg g mg µg t lb oz m/s km/h kmh mph hPa Pa "
    "mbar mb MB kb KB gb GB tb TB T G M K %"
)
"""What is split off after a digit."""
STOP_WORDS = ("the", "be", "to", "of", "and", "that", "have", "with")

_PRONOUNS = {"i": "'m 'll 'd 've", "you": "'ll 'd 've 're", "he": "'ll 'd 's", "she": "'ll 'd 's"} | {
    "it": "'ll 'd 's",
    "we": "'ll 'd 've 're",
    "they": "'ll 'd 've 're",
}
_QUESTIONS = ("who", "what", "when", "where", "why", "how", "there", "that", "this", "these", "those")
_NEGATED = "ca could do does did had may might must need ought sha should wo would"
_NEGATED_ONLY = "ai are is was were have has dare"
_NO_EXCEPTIONS = "Ill ill Its its Hell hell Shell shell Shed shed were Were Well well Whore whore"
_WHOLE = (
    "'S 's ‘S ‘s and/or w/o 're 'Cause 'cause 'cos 'Cos 'coz 'Coz 'cuz 'Cuz 'bout ma'am Ma'am o'clock O'clock lovin' "
    "Lovin' havin' Havin' doin' Doin' goin' Goin' nothin' Nothin' nuthin' Nuthin' ol' Ol' somethin' Somethin' 'em 'll "
    "'nuff 'd Mt. Ak. Ala. Apr. Ariz. Ark. Aug. Calif. Colo. Conn. Dec. Del. Feb. Fla. Ga. Ia. Id. Ill. Ind. Jan. "
    "Jul. Jun. Kan. Kans. Ky. La. Mar. Mass. Mich. Minn. Miss. N.C. N.D. N.H. N.J. N.M. N.Y. Neb. Nebr. Nev. Nov. "
    "Oct. Okla. Ore. Pa. S.C. Sep. Sept. Tenn. Va. Wash. Wis. a.m. Adm. Bros. co. Co. Corp. D.C. Dr. e.g. E.g. E.G. "
    "Gen. Gov. i.e. I.e. I.E. Inc. Jr. Ltd. Md. Messrs. Mo. Mont. Mr. Mrs. Ms. p.m. Ph.D. Prof. Rep. Rev. Sen. St. vs. "
    "v.s. C++ ä. ö. ü. ' '' \\\") \\n \\t <space>"
)
_EMOTICONS = (
    "(*_*) (-8 (-: (-; (-_-) (._.) (: (; (= (>_<) (^_^) (o: (¬_¬) (ಠ_ಠ) (╯°□°）╯︵┻━┻ )-: ): -_- -__- ._. "
    "0.0 0.o 0_0 0_o 8) 8-) 8-D 8D :'( :') :'-( :'-) :( :(( :((( :() :) :)) :))) :* :-( :-(( :-((( :-) "
    ":-)) :-))) :-* :-/ :-0 :-3 :-> :-D :-O :-P :-X :-] :-o :-p :-x :-| :-} :/ :0 :1 :3 :> :D :O :P :X :] "
    ":o :o) :p :x :| :} ;) ;-) ;-D ;D ;_; <.< </3 <3 <33 <333 =( =) =/ =3 =D =[ =] =| >.< >.> >:( >:o "
    "><(((*> @_@ O.O O.o O_O O_o V.V V_V XD XDD [-: [: [= ]= ^_^ ^__^ ^___^ o.0 o.O o.o o_0 o_O o_o v.v "
    "v_v xD xDD ¯\\(ツ)/¯ ಠ_ಠ ಠ︵ಠ"
)
_SPLIT = "y'|all y|all how|'d|'y How|'d|'y not|'ve Not|'ve can|not Can|not gon|na Gon|na got|ta Got|ta let|'s Let|'s"
_SPLIT += " c'm|on C'm|on i|'m|a I|'m|a i|m|a I|m|a"


def _contractions() -> Iterator[tuple[str, ...]]:
    """Contractions with an apostrophe, in their parts."""
    for word, endings in _PRONOUNS.items():
        for form in (word, word.title()):
            for ending in endings.split():
                yield form, ending
            yield form, "'ll", "'ve"
            yield form, "'d", "'ve"
    for word in _QUESTIONS:
        endings = "'ll 'd" + " 's" * (word not in ("these", "those")) + " 're 've" * (word != "this")
        if word == "that":
            endings = "'ll 'd 's"
        for form in (word, word.title()):
            for ending in endings.split():
                yield form, ending
            yield form, "'ll", "'ve"
            yield form, "'d", "'ve"
    for word in (*_NEGATED.split(), *_NEGATED_ONLY.split()):
        for form in (word, word.title()):
            yield form, "n't"
            if word in _NEGATED.split():
                yield form, "n't", "'ve"
            if word in ("could", "might", "must", "should", "would"):
                yield form, "'ve"


@cache
def exceptions() -> dict[str, tuple[str, ...]]:
    """String -> the tokens that it is, one or more."""
    found: dict[str, tuple[str, ...]] = {word: (word,) for word in f"{_WHOLE} {_EMOTICONS}".split()}
    found |= {f"{letter}.": (f"{letter}.",) for letter in "abcdefghijklmnopqrstuvwxyz"}
    found |= {f"{sign}{letter}.": (sign, letter, ".") for sign in "°" for letter in "CFKcfk"}
    for parts in _contractions():
        without = tuple(part.replace("'", "") for part in parts)
        found["".join(without)] = without
        found["".join(parts)] = parts
    found |= {split.replace("|", ""): tuple(split.split("|")) for split in _SPLIT.split()}
    for hour in range(1, 13):
        for half in ("a.m.", "am", "p.m.", "pm"):
            found[f"{hour}{half}"] = (str(hour), half)
    typographic = {word.replace("'", "’"): tuple(p.replace("'", "’") for p in parts) for word, parts in found.items()}
    found = typographic | found
    return {word: parts for word, parts in found.items() if word not in _NO_EXCEPTIONS.split()}


@cache
def character_classes() -> npt.NDArray[np.uint32]:
    """The flags of each code point: uint32 (N_CODE_POINTS)."""
    flags = np.zeros(N_CODE_POINTS, np.uint32)
    uniform = ((0x3400, 0x4DBF), (0x4E00, 0x9FFC), (0xAC00, 0xD7A3), (0xD800, 0xF8FF), (0x20000, N_CODE_POINTS - 1))
    start = 0
    for first, last in uniform:
        for code in range(start, first):
            flags[code] = _flags(chr(code))
        flags[first : last + 1] = _flags(chr(first))
        start = last + 1
    for first, last in _WITHOUT_CASE:
        flags[first : last + 1] |= np.uint32(LOWER | UPPER)
    flags[(flags & LOWER) != 0] |= np.uint32(DOTTABLE)
    return flags


def _flags(character: str) -> int:
    category, code = unicodedata.category(character), ord(character)
    flags = SPACE * character.isspace() | BREAK * (character in "\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029")
    is_terminal = (character in TERMINALS and character not in _NOT_TERMINALS) or character in _MORE_TERMINALS
    controls = code < 9 or 11 <= code < 32 or 127 <= code < 160
    flags |= SYMBOL * (is_terminal or controls or character in _DATATROVE_SYMBOLS)
    flags |= TERMINAL * is_terminal | ALPHA * character.isalpha() | PUNCTUATION * (category[0] == "P")
    flags |= FULL_STOP * (character in TERMINALS and character not in _NO_FULL_STOPS)
    splits = character in _MARKS or character in _QUOTES
    flags |= PREFIX * (splits or character in _CURRENCY or character in "§%=—–")
    flags |= SUFFIX * (splits or character in "—–")
    flags |= ICON * (category == "So" and code > 0xA0)
    flags |= LOWER * (category == "Ll") | UPPER * (category in ("Lu", "Lt"))
    flags |= QUOTE * (character in _QUOTES) | CURRENCY * (character in _CURRENCY)
    flags |= DIGIT * ("0" <= character <= "9") | DECIMAL * (category == "Nd")
    flags |= DOTTABLE * ("0" <= character <= "9" or splits or character in "%²-+|")
    return flags | OTHER * (category[0] not in "LNM" or character == "²")
