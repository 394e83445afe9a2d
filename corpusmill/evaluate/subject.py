"""The model that is measured: its folder, its settings, its corpus.  Imports no torch.

A model's folder says what it was trained on (`plan.json`).  The corpus is looked for in three places: where the user
says, around the model's folder (CORPUS/models/NAME), and where it was when training began.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from corpusmill.corpus import Corpus
from corpusmill.errors import InputError
from corpusmill.reasons import Stage
from corpusmill.train.job import Job
from corpusmill.train.settings import NATURAL, TrainSettings


@dataclass(frozen=True, slots=True)
class Subject:
    """A model and what its folder says of its training."""

    folder: Path  # holds model.safetensors
    settings: TrainSettings | None  # None without a plan.json that can be read
    data: str  # digest of the token parts, tokenizer and weights of its training; empty if plan.json does not say
    trained_on: Path | None  # place of the corpus when training began
    steps: int | None  # of its training

    @classmethod
    def of(cls, model: str | Path) -> "Subject":
        """The model in a folder; InputError if there is none, or if it is still in training."""
        folder = Path(model)
        if not (folder / "model.safetensors").is_file():
            unfinished = sorted(folder.glob("checkpoint-*"))
            if unfinished:
                raise InputError(
                    f"{model}: its training has not ended; finish it with 'corpusmill train', or give {unfinished[-1]}"
                )
            raise InputError(f"{model}: is not a trained model, it has no model.safetensors")
        plan = Corpus(folder.parent if folder.name.startswith("checkpoint-") else folder).read_json("plan.json") or {}
        try:
            settings = TrainSettings.model_validate(plan["settings"])
        except (KeyError, ValueError):  # no plan, or one of another version
            return cls(folder, None, "", None, None)
        place = plan.get("corpus")
        place = Path(place) if place else None
        return cls(folder, settings, str(plan.get("data", "")), place, plan.get("steps"))

    @property
    def name(self) -> str:
        """The name of the folder."""
        return self.folder.resolve().name

    def corpus(self, given: str | Path | None = None) -> Path:
        """The folder of the corpus; InputError if it is at none of the places."""
        if given is not None:
            return Corpus(given).folder
        around = self.folder.resolve().parents
        inside = [place.parent for place in around if place.name == "models"]
        places = [*inside, *([self.trained_on] if self.trained_on else [])]
        for place in places:
            if (place / Stage.TOKENS).is_dir():
                return place
        was = f"is no longer at {self.trained_on}" if self.trained_on else "is not named in its folder"
        raise InputError(f"{self.folder}: its corpus {was}; name it with --corpus")

    def job(self, corpus: Path) -> Job:
        """The job of its training on the corpus as it is now.  InputError without the settings of the training."""
        if self.settings is None:
            raise InputError(f"{self.folder}: has no plan.json that can be read, so its training is not known")
        return Job.of(corpus, self.settings, self.folder)

    def changes(self, corpus: Path) -> str | None:
        """A sentence if the corpus is not as it was in training, else None.

        InputError if the corpus has another tokenizer, because then the model cannot read its tokens.
        """
        if not _same_tokenizer(self.folder, corpus):
            raise InputError(
                f"{corpus}: its tokenizer is not the one of the model {self.folder}; name the corpus that the model "
                "was trained on with --corpus"
            )
        if self.settings is None or self.job(corpus).data == self.data:
            return None
        if not self.data:
            return "this model is of an earlier version of corpusmill, which did not note the state of the corpus"
        return "the corpus has changed since this model was trained (other tokens, or other weights of sources)"

    def objective(self, kind: str) -> Any:
        """The settings of its objective; by default those that fit the kind of model."""
        if self.settings is not None:
            return self.settings.objective
        return TrainSettings.model_validate({"model": {"kind": kind}, "objective": {"kind": NATURAL[kind]}}).objective


def _same_tokenizer(model: Path, corpus: Path) -> bool:
    """Whether both tokenizers make the same tokens; what an objective has added to the model's does not matter."""
    try:
        ours = json.loads((model / "tokenizer.json").read_text("utf-8"))["model"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{model}: its tokenizer.json cannot be read: {error}") from None
    return bool(ours == json.loads(Corpus(corpus).read_file(Stage.TOKENIZER, Stage.TOKENIZER))["model"])
