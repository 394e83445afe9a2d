"""The model card: README.md of an exported model, with the data that it was trained on.

What comes from pages, such as licences, is masked and escaped, because nobody has read it.
"""

import json
from collections.abc import Sequence
from typing import Any

import pyarrow.parquet as pq

from corpusmill import __version__
from corpusmill.export.data import DataCard, data_card
from corpusmill.export.folder import ModelFolder
from corpusmill.filters.personal import mask_text
from corpusmill.terminal import one_line, size

TASKS = {"decoder": "text-generation", "encoder": "fill-mask"}
USE = {
    "decoder": 'pipeline("text-generation", ".")("The first sentence of")',
    "encoder": 'pipeline("fill-mask", ".")("The [MASK] sentence of")',
}
WHAT = {"decoder": "predicts the next token", "encoder": "predicts masked tokens from both sides"}


def model_card(model: ModelFolder, format: str) -> str:
    """The card as Markdown, with the metadata that Hugging Face's hub reads."""
    job, why_not = model.job()
    data = data_card(job.corpus) if job is not None else None
    sections = [_metadata(model, data), f"# {_cell(model.path.resolve().name)}\n", _introduction(model, format)]
    if format == "hf" and model.kind in USE:
        sections.append(f"```python\nfrom transformers import pipeline\n\nprint({USE[model.kind]})\n```\n")
    sections.append("## Data\n")
    sections += _data(data) if data is not None else [f"The data is unknown: {_cell(why_not)}.\n"]
    sections += _training(model)
    return "\n".join(sections)


def _metadata(model: ModelFolder, data: DataCard | None) -> str:
    lines = ["---", "library_name: transformers"]
    if model.kind in TASKS:
        lines.append(f"pipeline_tag: {TASKS[model.kind]}")
    languages = [row["name"] for row in data.languages if row["name"] and len(row["name"]) == 2] if data else []
    if languages:
        lines += ["language:", *(f"- {json.dumps(name)}" for name in languages)]
    return "\n".join([*lines, "tags:", "- corpusmill", "---", ""])


def _introduction(model: ModelFolder, format: str) -> str:
    config = model.config
    what = WHAT.get(model.kind or "", "")
    shape = [
        f"{config[key]:,} {name}"
        for key, name in (
            ("num_hidden_layers", "layers"),
            ("hidden_size", "wide"),
            ("vocab_size", "tokens in the vocabulary"),
        )
        if key in config
    ]
    told = f"A `{_cell(model.architecture)}`" + (f", which {what}" if what else "")
    length = f" It was trained on rows of {config['max_position_embeddings']:,} tokens." if model.kind else ""
    return (
        f"{told}: {', '.join(shape)}.{length} Exported by corpusmill {__version__} in the format {format}.\n\n"
        "The text that it was trained on comes from the sources below. It can repeat their errors and their bias. "
        "Nobody has tested it for a use. The licence of the weights is not stated here: see the licences of the data.\n"
    )


def _data(data: DataCard) -> list[str]:
    sections = [
        "Documents, and size of their text, by source. The weight is the number of times that a document is used per "
        "epoch.\n",
        _table(("source", "documents", "held out", "text", "tokens", "weight"), [
            (row["name"], row["documents"], row["held_out"], size(row["bytes"]), row["tokens"], row["weight"])
            for row in data.sources
        ]),
    ]  # fmt: skip
    for title, rows in (("language", data.languages), ("licence", data.licences)):
        cells = [(row["name"] or "unknown", row["documents"], size(row["bytes"]), row["tokens"]) for row in rows]
        sections += [f"By {title}:\n", _table((title, "documents", "text", "tokens"), cells)]
    if data.outcomes:
        cells = [
            ("kept" if row["kept"] else "dropped", row["stage"], row["name"], row["documents"]) for row in data.outcomes
        ]
        sections += [
            "What became of the pages: dropped as unreadable (`pages`), by a rule (`verdicts`), by a limit per host "
            "(`caps`), or as duplicates (`twins`).\n",
            _table(("outcome", "stage", "rule", "pages"), cells),
        ]
    masked = ", ".join(f"{kind.replace('_', ' ')}: {n:,}" for kind, n in data.masked.items())
    sections.append(
        f"Personal data that was masked in the documents: {masked or 'none was found, or nothing was masked'}.\n"
    )
    prints = (("recipe.toml", data.recipe or "none"), ("tokenizer", data.tokenizer), ("tokens", data.tokens))
    sections += [
        f"Fingerprints (128-bit BLAKE2b); the tokens are in {data.n_parts:,} parts.\n",
        _table(("what", "fingerprint"), list(prints)),
    ]
    return sections


def _training(model: ModelFolder) -> list[str]:
    sections = []
    if model.settings is not None:
        flat = _flat(model.settings.model_dump(mode="json", exclude_none=True))
        sections.append(_table(("setting", "value"), list(flat.items())))
    if model.result:
        figures = [(name, value) for name, value in model.result.items() if value is not None]
        sections += [
            "Results. Losses and entropies are in nats per token, unless the name says bits.\n",
            _table(("figure", "value"), figures),
        ]
    if by_source := _last_by_source(model):
        sections += ["Validation by source, after the last step:\n", _table(("figure", "source", "value"), by_source)]
    return ["## Training\n", *sections] if sections else []


def _last_by_source(model: ModelFolder) -> list[tuple[Any, ...]]:
    """The newest figures of validation of each source."""
    file = model.path / "metrics.parquet"
    if not file.exists():
        return []
    rows = pq.read_table(file, columns=["step", "metric", "source", "value"]).to_pylist()
    last = {(row["metric"], row["source"]): row["value"] for row in rows if row["source"] is not None}
    return [(*key, value) for key, value in sorted(last.items())]


def _flat(table: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in table.items():
        flat |= _flat(value, f"{prefix}{key}.") if isinstance(value, dict) else {prefix + key: value}
    return flat


def _table(names: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    lines = [names, ["---"] * len(names), *([_cell(value) for value in row] for row in rows)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _cell(value: Any) -> str:
    """A value in a table, or in a line: numbers with separators, text masked and without signs of Markdown."""
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, int | float):
        text = one_line(mask_text(str(value)))[:200]
        return "".join(f"\\{c}" if c in "\\`*[]<>|#" else c for c in text)
    return f"{value:,}" if isinstance(value, int) else f"{value:,.6g}"
