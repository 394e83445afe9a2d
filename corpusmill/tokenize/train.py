"""Train the vocabulary on a sample of the corpus (`sample.py`), and write it as a tokenizer.json.

    bpe             byte-level BPE.  A pattern (`patterns.py`) cuts the text; merges stay within a piece.  All 256 bytes
                    are in the vocabulary, so no text is unknown, and decoding returns every byte.
    bpe-characters  BPE over characters, as sentencepiece trains it: a space is part of the word after it
    unigram         the most probable pieces (Kudo 2018), trained by sentencepiece, which needs the extra of that name
    wordpiece       as BERT: words are cut at punctuation and around Han characters, pieces inside a word begin with ##

Texts are not normalised unless the recipe asks for it.  With bpe-characters and unigram a character without a token
becomes its bytes, unless `byte_fallback` is off; then it is `<unk>`.  WordPiece has no bytes: it loses white space, and
an unknown word is `[UNK]`.

The result depends on the sample only: not on the order of its texts, nor on threads.  HF's trainers do not promise
this.  Their WordPiece numbers the pieces of words in the order of a hash table, and their Unigram trainer gave four
vocabularies in four runs.  So the characters are given to them in order, and sentencepiece trains Unigram, in one
thread.

If a corpus is too small for `vocab_size`, the vocabulary is smaller.
"""

import io
import itertools
import json
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

from corpusmill.errors import InputError
from corpusmill.tokenize.alphabet import BYTE_OF
from corpusmill.tokenize.patterns import byte_level, numbers, pattern_of
from corpusmill.tokenize.settings import Normalizer, TokenizerSettings

BOUNDARY = "<|endoftext|>"  # comes before every document in training rows
SPECIAL_TOKENS = (BOUNDARY, "<|pad|>", "<|mask|>", "<|im_start|>", "<|im_end|>")  # ids 0 to 4
UNKNOWN, UNKNOWN_WORD, SPACE = "<unk>", "[UNK]", "▁"
BYTES = tuple(f"<0x{byte:02X}>" for byte in range(256))
_NOT_TRAINED = {0: None, 9: None, 10: None, 13: None}  # sentencepiece cannot read them in a word
_ASCII = [chr(code) for code in range(0x21, 0x7F)]  # always get tokens
COVERAGE = 4  # a vocabulary has at most one character per so many entries; the others become bytes

_NORMALIZERS: dict[Normalizer, list[normalizers.Normalizer]] = {
    "none": [],
    "nfc": [normalizers.NFC()],
    "nfkc": [normalizers.NFKC()],
    "lowercase": [normalizers.NFKC(), normalizers.Lowercase()],
}


def train_tokenizer(texts: Iterable[str], settings: TokenizerSettings) -> str:
    """Learn a vocabulary from texts; returns the text of its tokenizer.json."""
    match settings.model:
        case "bpe":
            return _train_bpe(texts, settings)
        case "bpe-characters":
            return _train_characters(texts, settings)
        case "wordpiece":
            return _train_wordpiece(texts, settings)
        case "unigram":
            return _train_unigram(texts, settings)


def special_tokens(settings: TokenizerSettings) -> list[str]:
    """The special tokens of a tokenizer that is trained, in the order of their ids."""
    return [*SPECIAL_TOKENS, *settings.special_tokens]


def new_tokenizer(settings: TokenizerSettings) -> Tokenizer:
    """A byte-level BPE tokenizer with an empty vocabulary."""
    tokenizer = Tokenizer(models.BPE())
    _normalize(tokenizer, settings)
    tokenizer.pre_tokenizer = byte_level(pattern_of(settings.split, settings.digits))
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer


def _train_bpe(texts: Iterable[str], settings: TokenizerSettings) -> str:
    from corpusmill.tokenize.merges import learn_merges
    from corpusmill.tokenize.pieces import count_pieces, cuts_of

    tokenizer, special = new_tokenizer(settings), special_tokens(settings)
    normalizer = tokenizer.normalizer
    normal = texts if normalizer is None else (normalizer.normalize_str(text) for text in texts)
    counts = count_pieces(normal, cuts_of(settings.split, settings.digits))
    alphabet = sorted(BYTE_OF)
    names = [*special, *alphabet]
    id_of_byte = np.empty(256, np.int32)
    id_of_byte[[BYTE_OF[name] for name in alphabet]] = np.arange(len(special), len(names))
    made = learn_merges(counts, id_of_byte, len(names), settings.vocab_size, settings.min_frequency)
    merges = []
    for left, right, new in made.tolist():
        merges.append((names[left], names[right]))
        if new == len(names):
            names.append("".join(merges[-1]))
    tokenizer.model = models.BPE({name: id_ for id_, name in enumerate(names)}, merges)
    tokenizer.add_special_tokens(special)
    return str(tokenizer.to_str(pretty=True))


def _train_characters(texts: Iterable[str], settings: TokenizerSettings) -> str:
    first, second = itertools.tee(texts)
    tokenizer = Tokenizer(models.BPE(unk_token=UNKNOWN, byte_fallback=settings.byte_fallback, fuse_unk=True))
    _normalize(tokenizer, settings)
    tokenizer.pre_tokenizer = _spaces(settings)
    tokenizer.decoder = _decoder_of_spaces()
    special = [*special_tokens(settings), UNKNOWN, *(BYTES if settings.byte_fallback else ())]
    alphabet = [SPACE, *(c for c in _characters(tokenizer, first, settings) if c != SPACE)]
    trainer = trainers.BpeTrainer(
        vocab_size=settings.vocab_size,
        min_frequency=settings.min_frequency,
        initial_alphabet=alphabet,
        limit_alphabet=len(alphabet),
        special_tokens=special,
        max_token_length=16,
        show_progress=False,
    )
    tokenizer.train_from_iterator(_in_pieces(second), trainer)
    return _with_special(tokenizer, [*special_tokens(settings), UNKNOWN])


def _train_wordpiece(texts: Iterable[str], settings: TokenizerSettings) -> str:
    first, second = itertools.tee(texts)
    tokenizer = Tokenizer(models.WordPiece(unk_token=UNKNOWN_WORD))
    lowercase = settings.normalizer == "lowercase"
    bert = normalizers.BertNormalizer(lowercase=lowercase, strip_accents=lowercase, clean_text=True)
    tokenizer.normalizer = normalizers.Sequence([*_NORMALIZERS[settings.normalizer][:1], bert])
    tokenizer.pre_tokenizer = _with_digits(settings, pre_tokenizers.BertPreTokenizer())
    tokenizer.decoder = decoders.WordPiece(cleanup=False)
    special = [*special_tokens(settings), UNKNOWN_WORD]
    alphabet = _characters(tokenizer, first, settings)
    trainer = trainers.WordPieceTrainer(
        vocab_size=settings.vocab_size,
        min_frequency=settings.min_frequency,
        initial_alphabet=alphabet,
        limit_alphabet=len(alphabet),
        special_tokens=[*special, *(f"##{character}" for character in alphabet)],
        show_progress=False,
    )
    tokenizer.train_from_iterator(second, trainer)
    return _with_special(tokenizer, special)


def _train_unigram(texts: Iterable[str], settings: TokenizerSettings) -> str:
    try:
        import sentencepiece
    except ImportError:
        raise InputError(
            "tokenizer.model: unigram needs sentencepiece; install corpusmill with its extra 'sentencepiece'"
        ) from None
    tokenizer = Tokenizer(models.Unigram())
    _normalize(tokenizer, settings)
    words = sorted(_words(tokenizer, _spaces(settings), texts).items())
    special = [*special_tokens(settings), UNKNOWN]
    model = io.BytesIO()
    try:
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=(f"{word}\t{n}" for word, n in words),
            input_format="tsv",
            model_writer=model,
            model_type="unigram",
            vocab_size=settings.vocab_size - len(special) + 1,  # sentencepiece counts its own <unk>
            hard_vocab_limit=False,
            byte_fallback=settings.byte_fallback,
            required_chars="".join(_ASCII),
            num_threads=1,  # its result depends on their number
            normalization_rule_name="identity",
            add_dummy_prefix=False,
            remove_extra_whitespaces=False,
            bos_id=-1,
            eos_id=-1,
            max_sentence_length=1 << 20,
            minloglevel=2,
        )
    except RuntimeError as error:
        raise InputError(f"tokenizer: sentencepiece cannot train on this text: {error}") from None
    trained = sentencepiece.SentencePieceProcessor(model_proto=model.getvalue())
    scores = [(trained.id_to_piece(id_), trained.get_score(id_)) for id_ in range(len(trained))][1:]
    lowest = min((score for _, score in scores), default=0.0)
    never = lowest * 100 - 1000  # a text that is the name of a byte or of a special token is spelt out
    vocabulary = [(name, never) for name in special]
    vocabulary += [(piece, never if piece in BYTES else score) for piece, score in scores]
    tokenizer.model = models.Unigram(vocabulary, len(special) - 1, settings.byte_fallback)
    tokenizer.pre_tokenizer = _spaces(settings)
    tokenizer.decoder = _decoder_of_spaces()
    tokenizer.add_special_tokens(special)
    return str(tokenizer.to_str(pretty=True))


def _normalize(tokenizer: Tokenizer, settings: TokenizerSettings) -> None:
    if steps := _NORMALIZERS[settings.normalizer]:
        tokenizer.normalizer = normalizers.Sequence(steps) if len(steps) > 1 else steps[0]


def _with_digits(settings: TokenizerSettings, then: pre_tokenizers.PreTokenizer) -> pre_tokenizers.PreTokenizer:
    """Cut numbers as the recipe says, then in another way."""
    if settings.digits is None:
        return then
    return pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(numbers(settings.digits)), "isolated"), then])


def _spaces(settings: TokenizerSettings) -> pre_tokenizers.PreTokenizer:
    """Cut before each space, which becomes the first character of a piece; nothing is put before the text."""
    return _with_digits(settings, pre_tokenizers.Metaspace(SPACE, prepend_scheme="never"))


def _decoder_of_spaces() -> decoders.Decoder:
    return decoders.Sequence([decoders.Replace(SPACE, " "), decoders.ByteFallback(), decoders.Fuse()])


def _in_pieces(texts: Iterable[str]) -> Iterator[str]:
    """Lines, cut after 4,096 characters: merging takes time by the square of what is between two spaces."""
    for text in texts:
        for line in text.split("\n"):
            for start in range(0, len(line), 4096):
                yield line[start : start + 4096]


def _words(tokenizer: Tokenizer, cut: pre_tokenizers.PreTokenizer, texts: Iterable[str]) -> Counter[str]:
    """How often each word with the space before it occurs."""
    counts: Counter[str] = Counter()
    normalizer = tokenizer.normalizer
    for line in _in_pieces(texts):
        line = normalizer.normalize_str(line) if normalizer is not None else line
        counts.update(piece for piece, _ in cut.pre_tokenize_str(line.translate(_NOT_TRAINED)))
    del counts[""], counts[SPACE]
    return counts


def _characters(tokenizer: Tokenizer, texts: Iterable[str], settings: TokenizerSettings) -> list[str]:
    """The characters that get tokens: by frequency, then by code point; white space gets none."""
    counts: Counter[str] = Counter()
    normalizer = tokenizer.normalizer
    for text in texts:
        counts.update(normalizer.normalize_str(text) if normalizer is not None else text)
    order = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    found = [character for character, n in order if n >= settings.min_frequency and not character.isspace()]
    return sorted({*_ASCII, *found[: settings.vocab_size // COVERAGE]})


def _with_special(tokenizer: Tokenizer, special: list[str]) -> str:
    """tokenizer.json, in which only these tokens are special: the trainer was given others for their ids."""
    definition: dict[str, Any] = json.loads(tokenizer.to_str())
    definition["added_tokens"] = [each for each in definition["added_tokens"] if each["content"] in special]
    return str(Tokenizer.from_str(json.dumps(definition)).to_str(pretty=True))
