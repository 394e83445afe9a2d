"""The tables of a corpus: every column with its type and a one-line description.

Writers take their Arrow schema from here.  The catalog's comments and the reference in the docs are made from the same
texts.  Other people's scripts rely on the names of tables and columns: add columns, never rename one.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pyarrow as pa


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its name, its Arrow type (or the name of one), and a one-line description."""

    name: str
    type: Any
    description: str


@dataclass(frozen=True)
class Table:
    """A table of the corpus: its folder's name, the meaning of a row, its columns."""

    name: str
    description: str
    columns: tuple[Column, ...]

    @cached_property
    def arrow(self) -> pa.Schema:
        """The Arrow schema, without metadata."""
        return pa.schema([(c.name, c.type) for c in self.columns])

    def filled(self, columns: Mapping[str, Any]) -> pa.Table:
        """A table of this schema; columns: by name the values of each of its columns, and maybe others."""
        return pa.table([columns[name] for name in self.arrow.names], schema=self.arrow).combine_chunks()


DOC_ID = Column("doc_id", pa.string(), "stable identity of the document: 24 hexadecimal digits")
SOURCE = Column("source", pa.string(), "name of the source in the recipe")
URL = Column("url", pa.string(), "address of the page, as the record has it; null if it has none")
LANGUAGE = Column(
    "language",
    pa.string(),
    "language: the label of the model, by default a code of fastText's lid.176 (ISO 639-1 where there is one)",
)
LICENCE = Column("licence", pa.string(), "licence that the page or the recipe states; null if none is stated")

PAGES = Table("pages", "One row per content record of the input, readable or not, in the order of the input.", (
    DOC_ID,
    SOURCE,
    URL,
    Column("fetched_at", pa.timestamp("ms"), "when the record was fetched or written, UTC"),
    Column("title", pa.string(), "title of the page"),
    Column("text", pa.large_string(), "extracted text; personal data is not masked; null unless status is ok"),
    Column("html_lang", pa.string(), "language that the page or its HTTP headers declare"),
    Column("content_type", pa.string(), "declared media type, without parameters"),
    LICENCE,
    Column("metadata", pa.string(), "JSON object: other columns, HTTP headers, metadata of the page, id of a removal"),
    Column("n_bytes", pa.int64(), "size of the payload before extraction, in bytes"),
    Column("origin_path", pa.string(), "file that holds the record, relative to its source's root"),
    Column("origin_offset", pa.int64(), "first byte of the record, or its row in a Parquet file; 0 for whole files"),
    Column("status", pa.string(), "ok, or the reason why there is no text"),
))  # fmt: skip

PERSONAL_DATA = {
    setting: Column(f"pii_{setting}", pa.int64(), f"number of masked {title}; null if they are not masked")
    for setting, title in (
        ("emails", "e-mail addresses"),
        ("ip_addresses", "public IP addresses"),
        ("phones", "telephone numbers"),
        ("credit_cards", "payment card numbers"),
        ("ibans", "bank account numbers (IBAN)"),
        ("national_ids", "national identity numbers"),
        ("credentials", "passwords and secret arguments in URLs"),
        ("keys", "API keys, access tokens and private keys"),
    )
}
"""What masking counts, by setting."""

TEXTS = Table("texts", "One row per page: its text after all edits, and what each edit counted.", (
    DOC_ID,
    URL,
    Column("title", pa.string(), "title of the page; personal data is masked"),
    Column("text", pa.large_string(), "text after all edits; null for unreadable pages"),
    *PERSONAL_DATA.values(),
))  # fmt: skip

REPEATED_LINES = Table(
    "repeated_lines", "One row per part and line or paragraph that was cut out of the part's pages: [[dedup.lines]].", (
    Column("unit", pa.string(), "line or paragraph"),
    Column("host", pa.string(), "host whose documents were counted; null if all documents of the corpus were"),
    Column("hash", pa.uint64(), "64-bit hash of its words, and of the host"),
    Column("documents", pa.int64(), "number of readable pages that hold it"),
    Column("pages", pa.int64(), "number of these in the part"),
    Column("text", pa.string(), "how it stands on the first of these; personal data is masked; at most 200 characters"),
))  # fmt: skip

VERDICTS = Table("verdicts", "One row per page: whether the rules kept it, or which rule dropped it.", (
    DOC_ID,
    Column("kept", pa.bool_(), "true if the page was readable and no rule dropped it"),
    Column("stage", pa.string(), "pages (unreadable) or verdicts (a rule); null if kept"),
    Column("rule", pa.string(), "first rule that dropped the page, or the status of an unreadable page"),
    Column("value", pa.float64(), "value of the rule's signal for this page; null for rules with sql"),
    Column("threshold", pa.float64(), "threshold of the rule; null for rules with sql"),
    Column("also_dropped_by", pa.list_(pa.string()), "other rules that were true for the page, too"),
))  # fmt: skip

SKETCHES = Table("sketches", "One row per page: what deduplication compares. Empty for unreadable pages.", (
    DOC_ID,
    Column("content_hash", pa.uint64(), "64-bit BLAKE2b hash of the final text; 0 for a page without text"),
    Column("n_chars", pa.int64(), "number of characters of the final text; of two duplicates, the longer one is kept"),
    Column("bands", pa.list_(pa.uint64()), "one hash per band of MinHash values; empty if there are no words"),
    Column("shingles", pa.list_(pa.uint32()), "32-bit hashes of the shingles, sorted, each once"),
))  # fmt: skip

CAPS = Table("caps", "One row per page that the rules kept and that is over the cap of its host.", (
    DOC_ID,
    Column("rule", pa.string(), "max_pages_per_host"),
    Column("value", pa.float64(), "number of pages of the host that the rules kept"),
    Column("threshold", pa.float64(), "number of pages of a host that stay: those with the longest final text"),
))  # fmt: skip

TWINS = Table(
    "twins", "One row per document that shares a band or its text with another one: dropped, or kept (rule is null).", (
    DOC_ID,
    Column("group_id", pa.string(), "smallest doc_id of its group, which shared bands hold together"),
    Column("rule", pa.string(), "exact_duplicate or near_duplicate; null if the document was kept"),
    Column("twin_doc_id", pa.string(), "the kept document that this one is a duplicate of; null if this one was kept"),
    Column("twin_corpus", pa.string(), "name of the other corpus (dedup.against) that has it; null: this one"),
    Column("jaccard", pa.float64(), "true Jaccard similarity of the two shingle sets; 1 for exact duplicates"),
    Column("threshold", pa.float64(), "a document with at least this similarity is dropped"),
    Column("limited", pa.bool_(), "true if the document was not compared with all kept ones that share a band"),
))  # fmt: skip

SAME_URL = Table("same_url", "One row per page that was dropped because another one has its URL: [dedup.urls].", (
    DOC_ID,
    Column("rule", pa.string(), "url_duplicate"),
    Column("twin_doc_id", pa.string(), "the page with the same normalised URL that went on"),
))  # fmt: skip

SEMANTIC = Table("semantic", "One row per document that was dropped for its embedding: [dedup.semantic].", (
    DOC_ID,
    Column("rule", pa.string(), "semantic_duplicate"),
    Column("twin_doc_id", pa.string(), "the kept document whose embedding is most similar"),
    Column("value", pa.float64(), "cosine similarity of the two embeddings"),
    Column("threshold", pa.float64(), "a document with at least this similarity is dropped"),
))  # fmt: skip

_CUT = pa.struct(
    [
        *(("unit", pa.string()), ("start", pa.int64()), ("end", pa.int64()), ("hash", pa.uint64())),
        *(("documents", pa.int64()), ("twin_doc_id", pa.string()), ("text", pa.string())),
    ]
)
REPEATED_TEXT = Table(
    "repeated_text", "One row per document of which repeated text was cut: [dedup.repeats].", (
    DOC_ID,
    Column("rule", pa.string(), "repeated_text if the document was dropped, because little was left of it; else null"),
    Column("words_left", pa.float64(), "number of words that the cuts left"),
    Column("threshold", pa.float64(), "a document with fewer words left is dropped, unless others were cut for it"),
    Column("cut_chars", pa.int64(), "number of characters that were cut"),
    Column(
        "cuts",
        pa.list_(_CUT),
        "each cut: unit, start and end in the text of texts in characters, hash, number of documents that hold it, the "
        "document where it stays, and its first 200 characters",
    ),
))  # fmt: skip

DOCS = Table("docs", "The corpus: one row per kept document. Personal data is masked.", (
    DOC_ID,
    SOURCE,
    URL,
    LANGUAGE,
    LICENCE,
    Column("title", pa.string(), "title of the page; personal data is masked"),
    Column("text", pa.large_string(), "text after all edits"),
    Column("split", pa.string(), "train or validation"),
))  # fmt: skip


def id_lists(ids: pa.DataType) -> pa.DataType:
    """The type of lists of token ids.  No id is null, so Parquet needs no level for each, and is read 20 % faster."""
    return pa.list_(pa.field("item", ids, nullable=False))


TOKENS = Table("tokens", "One row per document of docs, in the same order: its token ids.", (
    DOC_ID,
    SOURCE,
    LANGUAGE,
    Column("split", pa.string(), "train or validation"),
    Column("n_bytes", pa.int64(), "size of the document's text in UTF-8, in bytes"),
    Column("n_tokens", pa.int32(), "number of token ids"),
    Column("ids", id_lists(pa.uint16()), "token ids, no special tokens; uint32 from 65,536 vocabulary entries on"),
))  # fmt: skip

VOCABULARY = Table("vocabulary", "One row per token of the corpus's tokenizer, with its count in all documents.", (
    Column("id", pa.int32(), "token id"),
    Column("token", pa.string(), "text of the token, U+FFFD for bytes that are no character; personal data is masked"),
    Column("n_bytes", pa.int32(), "size of what the token stands for, in bytes"),
    Column("n", pa.int64(), "how often it is in the corpus, all splits"),
    Column("is_special", pa.bool_(), "whether it is a special token, which documents do not hold"),
    Column("is_text", pa.bool_(), "whether its bytes are whole characters"),
    Column(
        "risk",
        pa.string(),
        "why it is glitch-prone: unreachable (its text gives other ids), unused, or rare; null if it is not",
    ),
))  # fmt: skip

TOKENIZERS = Table("tokenizers", "One row per tokenizer on one sample: the corpus's and each reference.", (
    Column("tokenizer", pa.string(), "`corpus`, or the path of the reference in the recipe"),
    Column("vocab_size", pa.int32(), "number of ids"),
    Column("documents", pa.int64(), "documents of the sample"),
    Column("n_bytes", pa.int64(), "size of the sample in UTF-8, in bytes"),
    Column("n_tokens", pa.int64(), "tokens of the sample"),
    Column("used", pa.int32(), "ids that the sample uses"),
    Column("byte_tokens", pa.int64(), "tokens of the sample that are one byte of a longer character"),
    Column("entropy_bits", pa.float64(), "Shannon entropy of the tokens, in bits"),
    Column("renyi_efficiency", pa.float64(), "Rényi entropy of order 2.5, divided by the most that is possible"),
    Column("returned", pa.int64(), "documents that come back unchanged from their ids"),
))  # fmt: skip

TOKENIZER_RATES = Table(
    "tokenizer_rates",
    "One row per tokenizer, source and language: what it makes of the sample.",
    (
        Column("tokenizer", pa.string(), "`corpus`, or the path of the reference in the recipe"),
        SOURCE,
        LANGUAGE,
        Column("documents", pa.int64(), "documents of the sample"),
        Column("n_bytes", pa.int64(), "their size in UTF-8, in bytes"),
        Column("n_chars", pa.int64(), "their characters"),
        Column("n_tokens", pa.int64(), "their tokens"),
        Column("bytes_per_token", pa.float64(), "n_bytes divided by n_tokens"),
    ),
)

TOKENIZER_EXAMPLES = Table(
    "tokenizer_examples",
    "One row per tokenizer and topic: how it splits a text of ours, such as numbers, code or Chinese.",
    (
        Column("tokenizer", pa.string(), "`corpus`, or the path of the reference in the recipe"),
        Column("topic", pa.string(), "what the text is about"),
        Column("text", pa.string(), "the text"),
        Column("pieces", pa.list_(pa.string()), "the texts of its tokens"),
        Column("n_tokens", pa.int32(), "number of tokens"),
    ),
)

OF_TOKENIZERS = (VOCABULARY, TOKENIZERS, TOKENIZER_RATES, TOKENIZER_EXAMPLES)

URLS = Table("urls", "One row per URL that a crawl met, fetched or not.", (
    SOURCE,
    Column("url", pa.string(), "the URL in normal form"),
    Column("host", pa.string(), "host of the URL, with the port unless it is the default port of the scheme"),
    Column("round", pa.int32(), "number of the round of the crawl in which its fate was decided, from 1"),
    Column("depth", pa.int32(), "number of links from the nearest seed"),
    Column("found_on", pa.string(), "page on which the URL was first found; null for seeds"),
    Column("fate", pa.string(), "fetched, or the reason why it was not fetched"),
    Column("http_status", pa.int32(), "status code of the answer; null if there was no answer"),
    Column("redirect_to", pa.string(), "target of a redirect"),
    Column("error", pa.string(), "what went wrong, or the rule of robots.txt that forbids the URL; else null"),
    Column("fetched_at", pa.timestamp("ms"), "time of the request, UTC"),
    Column("warc_file", pa.string(), "file under raw/ that holds the record"),
    Column("attempts", pa.int32(), "rounds in which the URL was tried; 0 if it was never tried"),
    Column("n_bytes", pa.int64(), "size of the body as received; null if there was no answer"),
    Column("canonical", pa.string(), "URL that the page declares to be its own; null if it names no other one"),
    Column("opt_out", pa.string(), "directive of the page or of its headers that reserves it, such as robots: noai"),
))  # fmt: skip

FINETUNE_METRICS = Table(
    "finetune_metrics", "One row per figure of a fine-tuned model, on examples that it was not trained on.", (
    Column("task", pa.string(), "classification, tokens, question-answering, instruction, sequence or embeddings"),
    Column("part", pa.string(), "test; fold 1, fold 2, ..., and folds for their mean; untuned: test of the base model"),
    Column("metric", pa.string(), "name of the figure: accuracy, f1_macro, roc_auc, exact_match, bleu, mrr, ..."),
    Column("class", pa.string(), "label that is measured, or the range of probabilities of a bin; null for all"),
    Column("predicted", pa.string(), "label that was predicted, in the confusion matrix; else null"),
    Column("value", pa.float64(), "the figure; shares are from 0 to 1, bleu and chrf from 0 to 100"),
    Column("baseline", pa.float64(), "the same figure of a trivial model, which docs/finetuning.md names; null: none"),
    Column("deviation", pa.float64(), "standard deviation of the figure over the folds; else null"),
    Column("n", pa.int64(), "number of examples, spans, tokens or queries that were counted"),
))  # fmt: skip

METRICS = Table("metrics", "One row per figure that was measured while a model was trained. One file per model.", (
    Column("step", pa.int64(), "number of optimizer steps before the measurement; 0 before the first step"),
    Column("seconds", pa.float64(), "seconds of training until then, of all resumed runs together"),
    Column("tokens", pa.int64(), "training tokens seen until then"),
    Column("metric", pa.string(), "name of the figure: loss, validation_loss, validation_bits_per_byte, ..."),
    Column("source", pa.string(), "source whose documents were measured; null for all sources"),
    Column("value", pa.float64(), "the figure; losses and entropies are in nats per token"),
))  # fmt: skip

EXPORTS = Table("exports", "One row per figure that was measured when a model was exported. One file per model.", (
    Column("format", pa.string(), "format of the export: hf, onnx, int8 or gguf"),
    Column("folder", pa.string(), "folder of the export"),
    Column("metric", pa.string(), "name of the figure: bytes, largest_difference (of a score), validation_loss, ..."),
    Column("source", pa.string(), "source whose documents were measured; null for all sources"),
    Column("value", pa.float64(), "the figure; losses are in nats per token"),
    Column("baseline", pa.float64(), "the same figure of the model in float32; null if there is none"),
    Column("exported_at", pa.timestamp("ms"), "time of the export, UTC"),
))  # fmt: skip

DOCUMENT_LOSSES = Table("document_losses", "One row per document whose loss was measured. One file per model.", (
    DOC_ID,
    SOURCE,
    Column("split", pa.string(), "train or validation; dropped for a page that rules dropped"),
    LANGUAGE,
    Column("kind", pa.string(), "type that the page declares: of schema.org, or og:type; null if it declares none"),
    Column("n_tokens", pa.int64(), "number of tokens of the document"),
    Column("n_targets", pa.int64(), "number of predictions: n_tokens; for masks and spans, what was hidden in 4 draws"),
    Column("n_bytes", pa.int64(), "size of the document's text in UTF-8, in bytes"),
    Column("loss", pa.float64(), "mean loss of its targets in nats, without boundary tokens; null without targets"),
    Column("bits_per_byte", pa.float64(), "bits of its tokens by its bytes; null unless every token is predicted"),
))  # fmt: skip

STEP_DOCUMENTS = Table(
    "step_documents", "One row per piece of a document in a row of a training step. One file per model.", (
    Column("step", pa.int64(), "number of the step, from 1"),
    Column("row", pa.int32(), "number of the row in the step, from 0"),
    Column("first", pa.int32(), "place of the piece's first token in the row, from 0"),
    Column("n_tokens", pa.int32(), "number of tokens of the piece, with its boundary token if the row contains it"),
    DOC_ID,
    SOURCE,
))  # fmt: skip

EVALUATIONS = Table("evaluations", "One row per figure of `corpusmill evaluate`. One file per model.", (
    Column("evaluation", pa.string(), "validation, or the name of the file without its ending"),
    Column("kind", pa.string(), "documents, cloze or choices"),
    Column("metric", pa.string(), "loss, perplexity, bits_per_byte, accuracy, accuracy_normalised, chance, ..."),
    Column("source", pa.string(), "source that was measured; null for all"),
    Column("language", pa.string(), "language that was measured; null for all"),
    Column("items", pa.int64(), "number of documents or items that were measured"),
    Column("value", pa.float64(), "the figure; losses are in nats per target"),
    Column("low", pa.float64(), "lower end of the 95 % interval; null if there is none"),
    Column("high", pa.float64(), "upper end of the 95 % interval"),
))  # fmt: skip

EVALUATION_ITEMS = Table("evaluation_items", "One row per item of a cloze or choices file. One file per model.", (
    Column("evaluation", pa.string(), "name of the file without its ending"),
    Column("item", pa.string(), "the item's id; without one, the number of its line, from 0"),
    Column("correct", pa.bool_(), "whether the answer is right: cloze by the most likely tokens, choices by the sum"),
    Column("correct_normalised", pa.bool_(), "choices: whether it is right by log-likelihood per byte; else null"),
    Column("log_likelihood", pa.float64(), "of the right answer, in nats"),
    Column("n_tokens", pa.int64(), "number of tokens of the right answer"),
    Column("found_in", pa.string(), "doc_id of a document that contains the item; null if none, or not looked for"),
))  # fmt: skip
ABLATION_DOCUMENTS = Table("ablation_documents", "One row per held-out document and question of an ablation.", (
    Column("question", pa.string(), "compare, search or scaling"),
    Column("doc_id", pa.string(), "its doc_id in the base corpus; of a document from a file, a hash of its text"),
    Column("source", pa.string(), "source in the recipe, or the name of the file"),
    Column("language", pa.string(), "as in docs; null for a file that is no corpus"),
    Column("n_bytes", pa.int64(), "size of the measured text in UTF-8, in bytes"),
    Column("half", pa.string(), "search, or confirm: not seen by a search"),
    Column("left_out", pa.string(), "why the answer does not use it; null if it does"),
))  # fmt: skip

ABLATION_LOSSES = Table(
    "ablation_losses", "One row per held-out document, model and measured step: the loss of the document.", (
    Column("variant", pa.string(), "name of the variant; base is the recipe as it is"),
    Column("model", pa.string(), "folder of the model in the models of the variant's corpus"),
    Column("seed", pa.int64(), "seed of the training"),
    Column("step", pa.int64(), "number of optimizer steps before the measurement"),
    Column("tokens", pa.int64(), "training tokens seen until then"),
    Column("doc_id", pa.string(), "as in ablation_documents"),
    Column("nats", pa.float64(), "loss of the document: the sum over its tokens, in nats"),
))  # fmt: skip

ABLATION_DIFFERENCES = Table(
    "ablation_differences", "One row per variant, and source of held-out text: how it compares with base.", (
    Column("question", pa.string(), "compare, or search: the best trial of a search, on text that it did not see"),
    Column("variant", pa.string(), "name of the variant"),
    Column("source", pa.string(), "source of the held-out documents; null for all of them"),
    Column("documents", pa.int64(), "number of held-out documents"),
    Column("seeds", pa.int64(), "number of seeds"),
    Column("tokens", pa.int64(), "budget: training tokens of every model"),
    Column("base_bits_per_byte", pa.float64(), "bits per byte of the base recipe, mean over seeds"),
    Column("difference", pa.float64(), "bits per byte of the variant minus those of base; negative is better"),
    Column("low", pa.float64(), "lower end of its interval"),
    Column("high", pa.float64(), "upper end of its interval"),
    Column("confidence", pa.float64(), "of this interval; higher if there are several variants"),
    Column("slower", pa.string(), "the worse of the two; null for a single source"),
    Column("multiplier", pa.float64(), "how many times as many tokens the worse one needs; null if not reached"),
    Column("multiplier_low", pa.float64(), "lower end of its interval; null if not reached"),
    Column("multiplier_high", pa.float64(), "upper end of its interval; null if not reached"),
))  # fmt: skip

ABLATION_TRIALS = Table("ablation_trials", "One row per trial of a search.", (
    Column("trial", pa.string(), "name of its variant"),
    Column("changes", pa.string(), "JSON object: the keys of the recipe and their values"),
    Column("round", pa.int64(), "last round that it reached, from 1"),
    Column("seeds", pa.int64(), "number of seeds that it was trained with"),
    Column("difference", pa.float64(), "bits per byte minus those of base, on the half that the search sees"),
    Column("chosen", pa.bool_(), "whether it is the best trial"),
))  # fmt: skip

ABLATION_SCALING = Table("ablation_scaling", "One row per figure of a scaling law L = E + A / N^alpha + B / D^beta.", (
    Column("quantity", pa.string(), "E, A, alpha, B, beta, or prediction; L is in bits per byte"),
    Column("parameters", pa.float64(), "N: weights of a prediction's model, without embeddings"),
    Column("tokens", pa.float64(), "D: training tokens of a prediction"),
    Column("value", pa.float64(), "the figure"),
    Column("low", pa.float64(), "lower end of its interval"),
    Column("high", pa.float64(), "upper end of its interval"),
))  # fmt: skip

ABLATIONS = (ABLATION_DOCUMENTS, ABLATION_DIFFERENCES, ABLATION_TRIALS, ABLATION_SCALING)
"""The tables of answers: a file for each question, NAME-QUESTION.parquet, without `ablation_` in its name."""
