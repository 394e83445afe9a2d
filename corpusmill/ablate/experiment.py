"""The folder of an ablation: its corpora, models and losses.  What is there already is not made again.

    CORPUS/ablations/NAME/
      corpora/VARIANT/                    the corpus of a variant (`corpora`); every command opens it
          models/MODEL/                   a model that was trained on it
              losses/STEP.parquet         the loss of each held-out document after that step (`schema.ABLATION_LOSSES`)
      overlap/                            which held-out documents overlap with a part of documents
      documents-QUESTION.parquet          the held-out documents, without their texts; the questions are compare,
                                          search and scaling
      differences-QUESTION.parquet, trials-search.parquet, scaling-scaling.parquet, QUESTION.html
                                          answers, written when they are complete

A training that was killed goes on from its last checkpoint.  A checkpoint is a model, so it is measured after it was
written and before the next step.  If the kill came in between, the checkpoint is measured when training goes on.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from corpusmill import recipe as recipes
from corpusmill import schema
from corpusmill.ablate import corpora
from corpusmill.ablate.held_out import HeldOut
from corpusmill.ablate.overrides import varied
from corpusmill.ablate.settings import BASE, AblationSettings, Variant
from corpusmill.ablate.statistics import Floats
from corpusmill.corpus import Corpus
from corpusmill.errors import InputError, RunError
from corpusmill.mix import read_weights
from corpusmill.reasons import Stage
from corpusmill.settings import read_toml
from corpusmill.store import full_disk_is_a_run_error, temporary_beside
from corpusmill.train.job import Job, StepReport
from corpusmill.train.run import train
from corpusmill.train.settings import TrainSettings

FOLDER = "ablations"
Curve = dict[int, Floats]  # step -> nats of each held-out document


@dataclass(frozen=True, slots=True)
class TrainingData:
    """What a variant trains on."""

    variant: str
    documents: int  # of the train split
    tokens: int  # of an epoch; with weights of sources
    epochs: float  # of the budget


Show = Callable[[str, StepReport | None], None]  # a line about the run, and the state of its training


@dataclass
class Experiment:
    """An ablation and its folder."""

    settings: AblationSettings
    config: Path
    corpus: Path
    name: str
    workers: int | None = None
    show: Show = lambda text, report: None
    _ids: dict[str, list[list[int]]] = field(default_factory=dict)  # by tokenizer, tokens of the held-out documents
    _done: int = 0
    runs: int = 0  # trainings in total, as far as they are known

    @property
    def folder(self) -> Path:
        """The ablation's folder."""
        return self.corpus / FOLDER / self.name

    def corpus_of(self, variant: str) -> Path:
        """The folder of a variant's corpus."""
        return self.folder / "corpora" / variant

    @cached_property
    def _recipe(self) -> tuple[dict[str, Any], recipes.Recipe, Path]:
        """The base recipe as plain data and checked, and its file."""
        file = self.config.parent / self.settings.recipe
        data = read_toml(file, "recipe")
        return data, recipes.parse(data, where=str(file), folder=file.parent), file

    def recipe_of(self, variant: Variant | None) -> recipes.Recipe:
        """The recipe of a variant; None: the base.  InputError if a change cannot be made."""
        data, base, file = self._recipe
        if variant is None:
            return base
        where = f"{self.config}: variant '{variant.name}'"
        changed = recipes.parse(varied(data, base, variant, where), where=where, folder=file.parent)
        if self.settings.tokenizer == "own" or corpora.same_documents(changed, base):
            return changed
        return corpora.with_tokenizer(changed, self.corpus_of(BASE))

    def make_corpora(self, variants: list[Variant]) -> None:
        """Make the corpora of the base recipe and of these variants."""
        folder = self._recipe[2].parent
        if self.settings.held_out.files:
            _ = self.held_out  # files that are wrong should be known before any work
        wanted = [(variant, self.recipe_of(variant)) for variant in (None, *variants)]  # all are checked first
        for variant, recipe in wanted:
            name = variant.name if variant else BASE
            self.show(f"corpus of {name}", None)
            like = self.corpus_of(BASE) if variant else self.corpus
            corpora.make_corpus(recipe, folder, self.corpus_of(name), like, self.workers)

    @cached_property
    def held_out(self) -> HeldOut:
        """The held-out documents; the base corpus must be there."""
        return HeldOut.of(self.settings.held_out, Corpus(self.corpus_of(BASE)), self.config.parent)

    def reasons(self, variants: Sequence[str], *, all_keep: bool = True) -> dict[str, str]:
        """doc_id -> why a held-out document is left out when these variants are compared.

        all_keep: leave out documents that not all variants keep.
        """
        found: dict[str, str] = {}
        for variant in reversed(variants):
            corpus = Corpus(self.corpus_of(variant))
            found |= self.held_out.reasons(variant, corpus, self.folder / "overlap", all_keep=all_keep)
        return found

    def training_data(self, variant: str) -> TrainingData:
        """What the corpus of a variant gives to training."""
        corpus = Corpus(self.corpus_of(variant))
        weights, documents, tokens = read_weights(corpus), 0, 0.0
        for part in corpus.parts(Stage.TOKENS):
            table = corpus.read(Stage.TOKENS, part, ["source", "split", "n_tokens"])
            for row in table.to_pylist():
                if row["split"] == "train":
                    documents += 1
                    tokens += (row["n_tokens"] + 1) * weights.get(row["source"], 1.0)
        budget = self.settings.train.steps * self.settings.tokens_per_step
        return TrainingData(variant, documents, round(tokens), budget / max(tokens, 1.0))

    def curve(self, variant: str, model: str, settings: TrainSettings) -> Curve:
        """Train a model on a variant's corpus, unless it is trained; its losses by step.

        InputError if the folder of the model holds another one, or was measured on other documents.
        """
        self._done += 1
        run = _Run(self, variant, model, settings, f"{variant}, {model} (run {self._done} of {self.runs})")
        return run.curve()

    def curves(self, variant: str, seeds: Sequence[int]) -> list[Curve]:
        """The losses of a variant under each seed."""
        return [self.curve(variant, f"seed-{seed}", self.settings.training(seed)) for seed in seeds]

    def ids_of(self, tokenizer: str, encode: Callable[[str], list[int]]) -> list[list[int]]:
        """Tokens of the held-out documents; kept for each tokenizer."""
        if tokenizer not in self._ids:
            self._ids[tokenizer] = [encode(document.text) for document in self.held_out.documents]
        return self._ids[tokenizer]

    def write(self, table: schema.Table, question: str, rows: list[dict[str, Any]]) -> None:
        """Write a table of answers to a question: compare, search or scaling."""
        write_rows(self.folder / f"{table.name.removeprefix('ablation_')}-{question}.parquet", table, rows)

    def write_documents(self, question: str, reasons: Mapping[str, str]) -> None:
        """Write the held-out documents, without texts."""
        rows = [
            {
                "question": question,
                "doc_id": each.doc_id,
                "source": each.source,
                "language": each.language,
                "n_bytes": each.n_bytes,
                "half": each.half,
                "left_out": reasons.get(each.doc_id),
            }
            for each in self.held_out.documents
        ]
        self.write(schema.ABLATION_DOCUMENTS, question, rows)


def write_rows(path: Path, table: schema.Table, rows: list[dict[str, Any]], **metadata: str) -> None:
    """Write rows as a Parquet file, which is renamed into place."""
    content = pa.Table.from_pylist(rows, schema=table.arrow.with_metadata(metadata or None))
    with full_disk_is_a_run_error(path.parent):
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary_beside(path) as temporary:
            pq.write_table(content, temporary, compression="zstd")
            temporary.rename(path)


@dataclass(frozen=True)
class _Run:
    """One training and its measurements."""

    experiment: Experiment
    variant: str
    model: str
    settings: TrainSettings
    title: str

    @property
    def _folder(self) -> Path:
        return self.experiment.corpus_of(self.variant) / "models" / self.model

    @property
    def _due(self) -> range:
        every = self.experiment.settings.every
        return range(every, self.settings.steps + 1, every)

    def curve(self) -> Curve:
        """The losses by step, after the training that is still needed."""
        corpus = self.experiment.corpus_of(self.variant)
        job = Job.of(corpus, self.settings, self._folder)
        if job.finished() is None:
            job.planned_steps()  # refuses the folder of another model before any work
            for checkpoint in sorted(self._folder.glob("checkpoint-*")):
                self._measure(checkpoint, int(checkpoint.name.removeprefix("checkpoint-")))
        result = train(corpus, self.settings, self._folder, progress=self._look)
        self._measure(result.model, self.settings.steps)
        return {step: self._read(step) for step in self._due}

    def _look(self, report: StepReport) -> None:
        if report.step in self._due:
            self._measure(self._folder / f"checkpoint-{report.step:08d}", report.step)
        self.experiment.show(self.title, report)

    def _losses(self, step: int) -> Path:
        return self._folder / "losses" / f"{step:08d}.parquet"

    def _measure(self, model: Path, step: int) -> None:
        """Write the losses of a model, unless they are there."""
        if step not in self._due or self._losses(step).exists():
            return
        from corpusmill.train.document_losses import best_device, document_losses
        from corpusmill.train.trained import load

        trained = load(model, best_device())
        held_out = self.experiment.held_out
        ids = self.experiment.ids_of(trained.tokenizer.to_str(), trained.encode)
        nats = document_losses(trained, ids)
        common = {"variant": self.variant, "model": self.model, "seed": self.settings.seed, "step": step}
        common["tokens"] = step * self.settings.rows_per_step * self.settings.row_length
        rows = [
            {**common, "doc_id": each.doc_id, "nats": value}
            for each, value in zip(held_out.documents, nats.tolist(), strict=True)
        ]
        write_rows(self._losses(step), schema.ABLATION_LOSSES, rows, held_out=held_out.digest)

    def _read(self, step: int) -> Floats:
        """Losses of a step, in the order of the held-out documents."""
        path = self._losses(step)
        try:
            table = pq.read_table(path)
        except (FileNotFoundError, pa.ArrowException) as error:
            raise RunError(
                f"{path}: is missing or damaged; delete {self._folder}, and the same command trains it again"
            ) from error
        if (table.schema.metadata or {}).get(b"held_out", b"").decode() != self.experiment.held_out.digest:
            raise InputError(
                f"{self._folder}: was measured on other held-out documents; choose another --out, or delete the folder"
            )
        nats: Floats = table["nats"].to_numpy()
        return nats


def stacked(curves: Sequence[Curve], step: int, chosen: npt.NDArray[np.bool_]) -> Floats:
    """The losses of several seeds after a step: (seeds, chosen documents)."""
    return np.stack([curve[step] for curve in curves])[:, chosen]
