"""A model's folder: what was trained, and the corpus that it was trained on."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from corpusmill.corpus import Corpus
from corpusmill.errors import CorpusmillError, InputError
from corpusmill.export.formats import Request
from corpusmill.train.job import Job
from corpusmill.train.settings import TrainSettings

OURS = {
    "Qwen3ForCausalLM": "decoder",
    "ModernBertForMaskedLM": "encoder",
    "corpusmill-encoder-decoder": "encoder-decoder",
    "corpusmill-lstm": "lstm",
}


@dataclass(frozen=True, slots=True)
class ModelFolder:
    """The files of a model that say what it is."""

    path: Path
    config: dict[str, Any]
    settings: TrainSettings | None  # of its training; None if it was not trained by `corpusmill train`
    result: dict[str, Any]  # of its training; empty if the training has not ended
    fingerprint: str | None  # of its training
    named_corpus: Path | None

    @classmethod
    def of(cls, request: Request) -> "ModelFolder":
        """The model that is to be exported.  InputError if its files are damaged."""
        path = Path(request.path)
        files = Corpus(path)
        try:
            config = json.loads((path / "config.json").read_text("utf-8"))
        except (OSError, ValueError) as error:
            raise InputError(f"{path}/config.json: cannot be read: {error}") from None
        if not isinstance(config, dict):
            raise InputError(f"{path}/config.json: is no JSON object")
        plan, receipt = files.read_json("plan.json") or {}, files.read_json("receipt.json") or {}
        try:
            settings = TrainSettings.model_validate(plan["settings"]) if "settings" in plan else None
        except ValueError:  # of a version whose settings are not understood any more
            settings = None
        return cls(path, config, settings, receipt.get("result", {}), plan.get("fingerprint"), request.corpus)

    @property
    def architecture(self) -> str:
        """The name of the model's class in HF transformers, or of the type of model if it has none there."""
        named = self.config.get("architectures") or [self.config.get("model_type", "")]
        return str(named[0])

    @property
    def kind(self) -> str | None:
        """The kind of a pretrained model: decoder, encoder, encoder-decoder or lstm; None for others."""
        return OURS.get(self.architecture)

    @property
    def corpus(self) -> Path | None:
        """The corpus that the user has named, or the one whose folder `models` holds the model; None without one."""
        above = self.path.resolve().parent
        near = above.parent if above.name == "models" else None
        place = self.named_corpus or near
        if place is not None and (place / "tokens").is_dir():
            return place
        if self.named_corpus is not None:
            raise InputError(f"{self.named_corpus}: not a corpus with tokens")
        return None

    def job(self) -> tuple[Job | None, str]:
        """The job that trained the model, if its tokens are still there; else None and a sentence that says why."""
        if self.settings is None or self.fingerprint is None:
            return None, "the model's folder does not say how it was trained"
        if self.corpus is None:
            return None, "the model is not in a corpus; name its corpus with --corpus"
        try:
            job = Job.of(self.corpus, self.settings, self.path)
        except CorpusmillError as error:
            return None, str(error)
        if job.fingerprint != self.fingerprint:
            return None, f"{self.corpus}: has other tokens now than those that the model was trained on"
        return job, ""
