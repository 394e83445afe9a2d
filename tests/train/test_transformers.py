"""A trained model's folder in HF transformers: the ids of the shards, and the logits of our own model."""

import json

import pyarrow.parquet as pq
import pytest
import torch
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import AutoModelForCausalLM, AutoTokenizer

from corpusmill.tokenize.encode import Encoder
from corpusmill.tokenize.settings import TokenizerSettings
from corpusmill.tokenize.train import train_tokenizer
from corpusmill.train.run import train
from corpusmill.train.settings import TrainSettings
from corpusmill.train.trained import load
from corpusmill.train.vocabulary import Vocabulary

from .conftest import documents, write_tokens

TEXTS = [
    "Hello, world!  It's  fine .\n\n\tdef f(x):\n    return x<|endoftext|>[SEP] </s> <s> [MASK] end",
    "人人生而自由,在尊严和权利上一律平等。\n他们赋有理性和良心",
    "  leading and trailing  ",
    "naïve café e\u0301 ₂ ﬁ",
    "don 't do n't , . ! ? \r\n x",
    "<|im_start|>user\n hi<|im_end|><|pad|>",
    "",
    " ",
    "\n",
]
SAMPLE = ["the quick brown fox " * 3, TEXTS[1]] * 50 + TEXTS


def bpe() -> str:
    return train_tokenizer(SAMPLE, TokenizerSettings(vocab_size=400))


def unigram() -> str:
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.normalizer = normalizers.NFKC()
    tokenizer.pre_tokenizer, tokenizer.decoder = pre_tokenizers.Metaspace(), decoders.Metaspace()
    special = ["<unk>", "<s>", "</s>"]
    trainer = trainers.UnigramTrainer(vocab_size=200, special_tokens=special, unk_token="<unk>", show_progress=False)
    tokenizer.train_from_iterator(SAMPLE, trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", 1), ("</s>", 2)]
    )
    return tokenizer.to_str()


def word_piece() -> str:
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer, tokenizer.decoder = pre_tokenizers.BertPreTokenizer(), decoders.WordPiece()
    special = ["[UNK]", "[CLS]", "[SEP]", "[PAD]", "[MASK]"]
    tokenizer.train_from_iterator(
        SAMPLE, trainers.WordPieceTrainer(vocab_size=200, special_tokens=special, show_progress=False)
    )
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 1), ("[SEP]", 2)]
    )
    tokenizer.enable_truncation(5)
    tokenizer.enable_padding(length=8)
    return tokenizer.to_str()


@pytest.mark.parametrize(("make", "boundary"), [(bpe, 0), (unigram, 2), (word_piece, 2)])
def test_ids_are_those_of_the_shards(tmp_path, make, boundary):
    definition = make()
    (tmp_path / "config.json").write_text('{"model_type": "qwen3"}')
    for name, content in Vocabulary.of(definition.encode(), "").files().items():
        (tmp_path / name).write_text(json.dumps(content))
    theirs, ours = AutoTokenizer.from_pretrained(tmp_path), Encoder(definition)
    assert (theirs.bos_token_id, theirs.eos_token_id) == (boundary, boundary)
    for text in TEXTS:
        if make is unigram and "</s>" in text:  # HF's Unigram model finds its own special tokens in any text
            continue
        ids = ours.encode(text).tolist()
        assert theirs(text)["input_ids"] == ids
        assert theirs.decode(ids) == ours.decode(ids)


def test_a_trained_folder_gives_the_same_ids_and_logits(tmp_path):
    tables = [documents(40)]
    write_tokens(tmp_path / "corpus", tables)
    settings = TrainSettings(layers=2, width=32, heads=2, kv_heads=1, row_length=32, rows_per_step=4, steps=3)
    out = train(tmp_path / "corpus", settings, tmp_path / "model").model

    tokenizer = AutoTokenizer.from_pretrained(out)
    shard = pq.read_table(tmp_path / "corpus/tokens/part-0.parquet")
    assert tokenizer(tables[0]["text"].to_pylist())["input_ids"] == shard["ids"].to_pylist()

    trained = load(out)
    ours, boundary = trained.model, trained.boundary
    ids = torch.tensor([[boundary, *shard["ids"][0].as_py()][:32]])
    with torch.no_grad():
        theirs = AutoModelForCausalLM.from_pretrained(out)(ids).logits
        torch.testing.assert_close(ours(ids), theirs, rtol=1e-4, atol=1e-4)
