"""Static word vectors: one vector per word of the corpus, by fastText or GloVe.

    skip-gram, cbow   of fastText (arXiv 1607.04606), with negative sampling
    glove             from co-occurrence counts (Pennington et al. 2014); see `glove`

They are trained on the words of the documents of the train split, in lower case.  A word is a run of letters, digits
and marks, with hyphens and apostrophes inside.  Chinese characters, kana, and letters of Thai, Lao, Khmer and Burmese
are words of their own, because these scripts do not separate words.

fastText runs in one thread, because with several threads each run gives other vectors.
"""

import json
import re
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

from corpusmill.belonging import whole
from corpusmill.corpus import Corpus, digest
from corpusmill.errors import InputError
from corpusmill.reasons import Stage
from corpusmill.vectors.glove import train_glove
from corpusmill.vectors.settings import VectorSettings
from corpusmill.vectors.words import Floats, WordVectors

VERSION = 1  # of everything that changes vectors

_ALONE = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
)
_WORD = re.compile(rf"[{_ALONE}]|[^\W_{_ALONE}]+(?:['’\-][^\W_{_ALONE}]+)*")


def words_of(text: str) -> list[str]:
    """The words of a text, in lower case."""
    return _WORD.findall(text.lower())


def train_vectors(corpus: str | Path, settings: VectorSettings, out: str | Path) -> WordVectors:
    """Train word vectors on a corpus's documents, or load them if exactly these are there already.

    InputError if the corpus has no documents or too few words, or if `out` holds something else.
    """
    store, folder = Corpus(Path(corpus)), Path(out)
    receipts = whole(store, Stage.DOCS)
    if not receipts:
        raise InputError(f"{corpus}: has no documents to train on; make them with 'corpusmill run'")
    checksums = [(name, receipt.checksum) for name, receipt in receipts.items()]
    fingerprint = digest("vectors", VERSION, settings.model_dump(mode="json"), checksums)
    receipt = Corpus(folder).read_json("receipt.json") if folder.exists() else None
    if receipt is not None and receipt.get("fingerprint") == fingerprint:
        return WordVectors.load(folder)
    if folder.exists() and any(folder.iterdir()):
        raise InputError(f"{folder}: holds another model; choose another --out, or remove that folder")
    counts = Counter(word for text in _texts(store) for word in words_of(text))
    kept = sorted((word for word, n in counts.items() if n >= settings.min_count), key=lambda w: (-counts[w], w))
    if len(kept) < 2:
        raise InputError(
            f"{corpus}: only {len(kept)} words occur at least {settings.min_count} times; lower --min-count, or add "
            "documents"
        )
    if settings.method == "glove":
        vectors = train_glove((words_of(text) for text in _texts(store)), kept, settings)
    else:
        vectors = _by_fasttext(store, kept, settings)
    folder.mkdir(parents=True, exist_ok=True)
    save_file({"vectors": vectors}, folder / "vectors.safetensors")
    content = {"words": kept, "counts": [counts[word] for word in kept]}
    (folder / "words.json").write_text(json.dumps(content, ensure_ascii=False), "utf-8")
    Corpus(folder).write_json(
        "receipt.json", {"fingerprint": fingerprint, "settings": settings.model_dump(mode="json")}
    )
    return WordVectors(kept, vectors)


def _texts(store: Corpus) -> Iterator[str]:
    """The texts of the train split, in the order of the parts."""
    for part, receipt in whole(store, Stage.DOCS).items():
        table = store.read(Stage.DOCS, part, ["split", "text"], checksum=receipt.checksum)
        for split, text in zip(table["split"].to_pylist(), table["text"].to_pylist(), strict=True):
            if split == "train":
                yield text


def _by_fasttext(store: Corpus, words: list[str], settings: VectorSettings) -> Floats:
    import fasttext

    with tempfile.TemporaryDirectory() as temporary:
        path = Path(temporary) / "words.txt"
        with path.open("w", encoding="utf-8") as file:
            for text in _texts(store):
                file.write(" ".join(words_of(text)) + "\n")
        model = fasttext.train_unsupervised(
            str(path),
            model=settings.method.replace("-", ""),
            dim=settings.size,
            ws=settings.window,
            epoch=settings.epochs,
            minCount=settings.min_count,
            minn=3 if settings.subwords else 0,
            maxn=6 if settings.subwords else 0,
            bucket=200_000 if settings.subwords else 0,
            thread=1,
            verbose=0,
        )
    return np.stack([model.get_word_vector(word) for word in words]).astype(np.float32)
