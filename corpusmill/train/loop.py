"""The training loop: steps, validation, metrics, checkpoints.

A run that was killed and started again has, on CPU, bit for bit the weights of one that was not (same torch, same
number of threads): a checkpoint holds weights, optimizers and the loader's position, and nothing else decides a step.
On CUDA: bf16 autocast over float32 weights, torch.compile, flex_attention.

The unigram entropy of the training tokens (of the first window: of everything, up to 16 M tokens) is what a model
would reach that knows how frequent each token is and nothing else.
"""

import math
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from importlib.metadata import version

import numpy as np
import torch
from torch import Tensor

from corpusmill.corpus import Corpus
from corpusmill.errors import InputError, InterruptedRunError
from corpusmill.interrupts import noted
from corpusmill.train import checkpoint
from corpusmill.train.checkpoint import Checkpoint, ModelFiles
from corpusmill.train.data import Position, TokenRows
from corpusmill.train.evaluate import Metrics, Validation
from corpusmill.train.job import Job, StepReport, TrainResult
from corpusmill.train.model import Decoder, ModelConfig, document_mask
from corpusmill.train.optim import Optimizers
from corpusmill.train.ranks import Ranks
from corpusmill.train.trace import training_rows

LOSS_EVERY = 10  # steps whose mean loss is one metric
_TIMED_STEPS = 3


def run(job: Job, planned_steps: int | None, device: str | None, progress: Callable[[StepReport], None]) -> TrainResult:
    """Do a job that is not done; `planned_steps` if an earlier run of it fixed them."""
    with Ranks.joined(device) as ranks, Corpus(job.out).lock() if ranks.leads else nullcontext():
        rows = training_rows(job)
        steps = planned_steps or ranks.agree(_steps_that_fit(job, rows, ranks))
        if ranks.leads and planned_steps is None:
            job.plan(steps)
        training = Training(job, rows, steps, ranks)
        training.resume()
        with noted() as came:
            while training.step < steps:
                training.do_step()
                progress(training.report())
                if signal := came():
                    training.save()
                    raise InterruptedRunError(
                        f"interrupted by {signal} after step {training.step:,} of {steps:,}, which is saved; "
                        "the same command goes on from there"
                    )
        result = training.result()
        if ranks.leads:
            training.publish(result)
        return result


def model_config(job: Job) -> ModelConfig:
    """The shape of the model that the settings describe."""
    settings = job.settings
    return ModelConfig(
        vocab_size=job.vocabulary()[0],
        hidden_size=settings.width,
        intermediate_size=3 * settings.width,
        num_hidden_layers=settings.layers,
        num_attention_heads=settings.heads,
        num_key_value_heads=settings.kv_heads,
        head_dim=settings.width // settings.heads,
        max_position_embeddings=settings.row_length,
    )


class Training:
    """A model in training: its weights, optimizers, place in the data, and the metrics so far."""

    def __init__(self, job: Job, rows: TokenRows, steps: int, ranks: Ranks) -> None:
        settings = job.settings
        if settings.rows_per_step % ranks.ranks:
            raise InputError(
                f"train.rows_per_step = {settings.rows_per_step} cannot be shared by {ranks.ranks} processes; "
                "make it a multiple"
            )
        self.job, self.rows, self.steps, self.ranks = job, rows, steps, ranks
        self.step, self.position, self.metrics = 0, Position(), Metrics()
        config = model_config(job)
        self.model = Decoder(config, torch.Generator().manual_seed(settings.seed)).to(ranks.device)
        self.optimizers = Optimizers(self.model, settings, steps)
        self.validation = Validation(job)
        self.files = ModelFiles(config.to_hf(rows.boundary), job.tokenizer)
        self._loss = torch.compile(self.model.loss) if self._on_cuda else self.model.loss
        self._recent: list[Tensor] = []
        self._before, self._started = 0.0, time.monotonic()  # seconds of earlier runs; when this one started
        self._first_step = 0

    @property
    def _on_cuda(self) -> bool:
        return self.ranks.device.type == "cuda"

    @property
    def tokens(self) -> int:
        """Training tokens seen."""
        return self.step * self.job.settings.rows_per_step * self.job.settings.row_length

    @property
    def seconds(self) -> float:
        """Seconds of training, earlier runs included."""
        return self._before + time.monotonic() - self._started

    def resume(self) -> None:
        """Go on from the newest checkpoint; without one, measure the untrained model."""
        if self.ranks.leads:
            checkpoint.tidy(self.job.out)
        found = checkpoint.load(self.job.out)
        self._started = time.monotonic()
        if found is None:
            if self.ranks.leads:
                self._measure_unigrams()
                self._validate()
            return
        self.model.load_state_dict(found.model)
        self.optimizers.load(found.optimizers)
        self.metrics = Metrics(found.metrics)
        self.step = self._first_step = found.step
        self.position, self._before = found.position, found.seconds
        self._recent = [torch.tensor(loss) for loss in found.recent]

    def do_step(self) -> None:
        """One step, and what is due after it."""
        settings = self.job.settings
        self.update()
        last = self.step == self.steps
        if self.step % LOSS_EVERY == 0 or last:
            self._record_loss()
        if self.ranks.leads and (self.step % settings.validate_every == 0 or last):
            self._validate()
        if self.step % settings.checkpoint_every == 0 or last:
            self.save()

    def save(self) -> None:
        """Write a checkpoint, if this process is the one that writes."""
        if self.ranks.leads:
            checkpoint.save(self.job.out, self._checkpoint(), self.files)

    def update(self) -> None:
        """Take the next rows and update the weights."""
        n, ranks = self.job.settings.rows_per_step, self.ranks
        ids = self.rows.take(self.position, n, rank=ranks.rank, ranks=ranks.ranks)
        self.position = self.rows.advance(self.position, n)
        self.step += 1
        batch = torch.from_numpy(ids).to(ranks.device)
        with self._autocast():
            loss = self._loss(batch, document_mask(batch[:, :-1], self.rows.boundary))
        loss.backward()  # type: ignore[no-untyped-call]
        self._recent.append(ranks.mean(self.model, loss.detach()))
        self.optimizers.step(self.step)

    def report(self) -> StepReport:
        """Where training stands."""
        here = max(self.seconds - self._before, 1e-9)
        done = max(self.step - self._first_step, 1)
        settings = self.job.settings
        return StepReport(
            step=self.step,
            steps=self.steps,
            loss=self.last_loss(),
            validation_loss=self.metrics.newest("validation_loss"),
            validation_bits_per_byte=self.metrics.newest("validation_bits_per_byte"),
            tokens=self.tokens,
            seconds=self.seconds,
            tokens_per_second=done * settings.rows_per_step * settings.row_length / here,
            seconds_left=(self.steps - self.step) * here / done,
        )

    def result(self) -> TrainResult:
        """What came out."""
        entropy = self.metrics.newest("unigram_entropy") or 0.0
        return TrainResult(
            model=self.job.out,
            trained=True,
            steps=self.step,
            tokens=self.tokens,
            seconds=round(self.seconds, 3),
            loss=self.last_loss(),
            unigram_entropy=entropy,
            unigram_entropy_bits=entropy / math.log(2),
            validation_loss=self.metrics.newest("validation_loss"),
            validation_bits_per_byte=self.metrics.newest("validation_bits_per_byte"),
            unigram_validation_loss=self.metrics.newest("unigram_validation_loss"),
        )

    def publish(self, result: TrainResult) -> None:
        """Put the finished model in place, with its receipt last, and drop the checkpoint."""
        checkpoint.publish(self.job.out, self._checkpoint(), self.files)
        parameters = sum(parameter.numel() for parameter in self.model.parameters())
        self.job.finish(result, parameters=parameters, torch=version("torch"), device=self.ranks.device.type)
        checkpoint.clear(self.job.out)

    def last_loss(self) -> float:
        """Mean loss of the steps that were recorded last; before that, the newest step's."""
        recorded = self.metrics.newest("loss")
        return float(self._recent[-1]) if recorded is None else recorded

    def _record_loss(self) -> None:
        losses = [float(loss) for loss in self._recent]
        self._recent = []
        loss = sum(losses) / len(losses)
        if not math.isfinite(loss):
            raise InputError(
                f"the loss is {loss} after step {self.step}: training diverged; "
                "lower train.learning_rate or train.matrix_learning_rate"
            )
        self._record("loss", loss)
        self._record("learning_rate_share", self.optimizers.factor(self.step))

    def _record(self, metric: str, value: float, source: str | None = None) -> None:
        self.metrics.add(
            step=self.step,
            seconds=round(self.seconds, 3),
            tokens=self.tokens,
            metric=metric,
            source=source,
            value=value,
        )

    def _validate(self) -> None:
        measured = self.validation.measure(self.loss_of_each, self.ranks.device)
        for metric, source, value in measured:
            self._record(metric, value, source)
        checkpoint.write_metrics(self.job.out, self.metrics.table())

    def _measure_unigrams(self) -> None:
        counts = self.rows.window(0, 0).token_counts(self.model.config.vocab_size, self.rows.boundary)
        share = counts[counts > 0] / counts.sum()
        self._record("unigram_entropy", float(-(share * np.log(share)).sum()))
        smoothed = -np.log((counts + 1) / (counts.sum() + len(counts)))
        if self.validation.n_targets:
            self._record("unigram_validation_loss", self.validation.mean_of(smoothed))

    def loss_of_each(self, rows: Tensor) -> Tensor:
        """Loss of every next token, without gradients: (n, tokens + 1) -> (n x tokens)."""
        with torch.no_grad(), self._autocast():
            loss: Tensor = self._loss(rows, document_mask(rows[:, :-1], self.rows.boundary), "none")
            return loss

    def _autocast(self) -> AbstractContextManager[object]:
        return torch.autocast("cuda", torch.bfloat16) if self._on_cuda else nullcontext()

    def _checkpoint(self) -> Checkpoint:
        return Checkpoint(
            step=self.step,
            position=self.position,
            seconds=self.seconds,
            recent=[float(loss) for loss in self._recent],
            model={name: tensor.contiguous() for name, tensor in self.model.state_dict().items()},
            optimizers={name: tensor.contiguous() for name, tensor in self.optimizers.state().items()},
            metrics=self.metrics.table(),
        )


def _steps_that_fit(job: Job, rows: TokenRows, ranks: Ranks) -> int:
    """The settings' steps, or fewer if these don't fit into `max_seconds`: timed on a model that is thrown away."""
    settings = job.settings
    if settings.max_seconds is None:
        return settings.steps
    trial = Training(job, rows, settings.steps, ranks)
    trial.update()  # compiles, allocates
    trial.last_loss()
    started = time.monotonic()
    for _ in range(_TIMED_STEPS):
        trial.update()
    trial.last_loss()
    a_step = (time.monotonic() - started) / _TIMED_STEPS
    started = time.monotonic()
    trial.validation.measure(trial.loss_of_each, ranks.device)
    a_validation = time.monotonic() - started
    left = settings.max_seconds - 2 * a_validation  # before the first step and after the last
    return max(1, min(settings.steps, int(left / (a_step + a_validation / settings.validate_every))))
