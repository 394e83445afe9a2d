"""What the mix means for a training: tokens available and wanted, repeats, and shares that were achieved.

Nothing is counted while a model trains: the order of rows is a function of the manifest, so the rows of any number of
steps are known before and after.  Imports no torch.
"""

import json
from dataclasses import dataclass
from pathlib import Path

from corpusmill.corpus import Corpus, checksum_of, digest
from corpusmill.loader import Rows
from corpusmill.loader.manifest import Manifest, manifest_of
from corpusmill.reasons import Stage
from corpusmill.train.settings import TrainSettings

MANY = 4  # repeats above which more data is worth more (arXiv 2305.16264)


@dataclass(frozen=True, kw_only=True, slots=True)
class GroupPlan:
    """A group of the mix, and what a training takes of it.  Tokens count the boundaries of documents."""

    name: str
    documents: int
    available: int  # tokens
    share: float  # of the rows, that the mix asks for
    capped: bool  # a cap leaves it less
    repeats: float  # of each document in an epoch of the mix
    wanted: int  # tokens that the training takes
    epochs: float  # how often the training sees each document


@dataclass(frozen=True, kw_only=True, slots=True)
class Achieved:
    """The rows that a model has been trained on, by group."""

    model: str
    steps: int  # done
    shares: dict[str, float] | None  # by group; None: the model was trained on other tokens, or with another mix
    tokens: dict[str, int] | None


@dataclass(frozen=True, kw_only=True, slots=True)
class MixReport:
    """The mix of a corpus, for a training."""

    groups: list[GroupPlan]
    epoch_rows: int  # of an epoch of the mix
    epoch_tokens: int
    training_rows: int
    training_tokens: int
    warnings: list[str]
    models: list[Achieved]


def mix_report(place: str | Path, settings: TrainSettings) -> MixReport:
    """The mix for a training with these settings, and for the models in the corpus's folder `models`."""
    corpus = Corpus(place)
    manifest = manifest_of(corpus)
    rows = rows_of(corpus, manifest, settings)
    n = settings.steps * settings.rows_per_step
    taken = rows.rows_by_group(n).tolist() if rows.rows_of_epoch(0) else [0] * len(manifest.groups)
    groups = [
        GroupPlan(
            name=group.name,
            documents=group.documents,
            available=(available := group.documents + group.tokens),
            share=group.share,
            capped=group.capped,
            repeats=group.repeats,
            wanted=count * settings.row_length,
            epochs=count * settings.row_length / max(available, 1),
        )
        for group, count in zip(manifest.groups, taken, strict=True)
    ]
    epoch = rows.rows_of_epoch(0)
    models = [] if corpus.is_remote else [_achieved(each, corpus, manifest) for each in _plans(corpus.folder)]
    return MixReport(
        groups=groups,
        epoch_rows=epoch,
        epoch_tokens=epoch * settings.row_length,
        training_rows=n,
        training_tokens=n * settings.row_length,
        warnings=_warnings(groups, manifest, n, epoch),
        models=models,
    )


def _warnings(groups: list[GroupPlan], manifest: Manifest, n: int, epoch: int) -> list[str]:
    often = [
        f"{group.name}: each document comes {group.epochs:.1f} times, more than {MANY}; new text is worth more"
        for group in groups
        if group.epochs > MANY
    ]
    capped = [f"{group.name}: a cap leaves it less than its share" for group in groups if group.capped]
    over = (
        [f"the training takes {n:,} rows, and the limits of the mix allow {epoch:,}; 'corpusmill train' refuses it"]
        if manifest.is_limited and n > epoch
        else []
    )
    return [*often, *capped, *over]


def rows_of(corpus: Corpus, manifest: Manifest, settings: TrainSettings) -> Rows:
    """The rows of a training."""
    return Rows(
        corpus, manifest, row_length=settings.row_length, seed=settings.seed, packing=settings.packing, ahead=False
    )


def data_digest(corpus: Corpus, manifest: Manifest) -> str:
    """A digest of what decides the rows, besides the settings: tokens, tokenizer, mix."""
    return digest(*data_of(corpus, manifest))


def data_of(corpus: Corpus, manifest: Manifest) -> tuple[str, str]:
    """The manifest's fingerprint and the tokenizer's checksum."""
    return manifest.fingerprint, checksum_of(corpus.read_file(Stage.TOKENIZER, Stage.TOKENIZER))


def _plans(folder: Path) -> list[Path]:
    return sorted((folder / "models").glob("*/plan.json"))


def _achieved(plan: Path, corpus: Corpus, manifest: Manifest) -> Achieved:
    data = Corpus(plan.parent).read_json("plan.json") or {}
    steps = _steps_done(plan.parent)
    name = plan.parent.name
    if data.get("data") != data_digest(corpus, manifest):
        return Achieved(model=name, steps=steps, shares=None, tokens=None)
    settings = TrainSettings.model_validate(data["settings"])
    found = rows_of(corpus, manifest, settings).rows_by_group(steps * settings.rows_per_step).tolist()
    names = [group.name for group in manifest.groups]
    total = max(sum(found), 1)
    return Achieved(
        model=name,
        steps=steps,
        shares={each: count / total for each, count in zip(names, found, strict=True)},
        tokens={each: count * settings.row_length for each, count in zip(names, found, strict=True)},
    )


def _steps_done(model: Path) -> int:
    """The steps of a finished training, or of the newest checkpoint."""
    receipt = Corpus(model).read_json("receipt.json")
    if receipt is not None and "steps" in receipt.get("result", {}):
        return int(receipt["result"]["steps"])
    states = sorted(model.glob("checkpoint-*/state.json"))
    return int(json.loads(states[-1].read_text("utf-8"))["step"]) if states else 0
