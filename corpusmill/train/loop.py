"""The training loop: steps, validation, metrics, checkpoints.  It knows batches, losses, metrics and weights.

What is learned is the business of the work (`work.py`).  Its objective makes batches from rows, and losses from a model
and a batch.  The loss of a step is the mean over all its targets, whatever the number of ranks and of passes.

On CPU, a run that was killed and resumed has bit for bit the weights of an uninterrupted run (same torch, same kind of
CPU).  A checkpoint holds weights, optimizers, the loader's position and the guard's memory, and the plan holds the
number of threads.  Nothing else affects a step: random numbers are drawn anew for each pass, from the seed, the step
and the row.  On CUDA it uses bf16 autocast over float32 weights, torch.compile, and flex_attention.

Before the first step, the baselines are measured: models that only count tokens, on the same validation targets.  They
count the first window, which is everything, up to 16 M tokens.
"""

import math
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import replace
from functools import partial
from importlib.metadata import version
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint as checkpointed

from corpusmill.corpus import Corpus
from corpusmill.draws import uniform
from corpusmill.errors import InputError, InterruptedRunError, RunError
from corpusmill.interrupts import noted
from corpusmill.loader import Position
from corpusmill.train import checkpoint
from corpusmill.train.batch import IGNORED, Batch
from corpusmill.train.checkpoint import Checkpoint
from corpusmill.train.evaluate import Metrics
from corpusmill.train.guard import Guard, Verdict
from corpusmill.train.job import Planned, StepReport, TrainResult
from corpusmill.train.machine import memory_bytes, peak_flops, using_threads
from corpusmill.train.objectives.base import Losses
from corpusmill.train.optim import Optimizers
from corpusmill.train.ranks import Ranks, divided_like, layers_of, summing_up
from corpusmill.train.tensorboard import write_tensorboard
from corpusmill.train.work import Work

LOSS_EVERY = 10  # steps; one metric is their mean loss
TRAINING = 0x747261  # in the keys of the rows' random numbers
_TIMED_STEPS = 3


def run(
    job: Planned,
    work_of: Callable[[], Work],
    planned_steps: int | None,
    device: str | None,
    progress: Callable[[StepReport], None],
) -> TrainResult:
    """Run a job that is not done.  `planned_steps` is the number of steps if an earlier run fixed it."""
    with (
        _full_memory_is_a_run_error(),
        Ranks.joined(device) as ranks,
        Corpus(job.out).lock() if ranks.leads else nullcontext(),
        using_threads(job.planned_threads(ranks.ranks)) as threads,
    ):
        work = work_of()
        steps = ranks.agree(planned_steps or 0)
        if not steps:
            steps = ranks.agree(_steps_that_fit(job, work, ranks))
            if ranks.leads:
                job.plan(steps, processes=ranks.ranks, threads=threads)
        training = Training(job, work, steps, ranks)
        training.resume()
        with noted() as came:
            while not training.ended:
                training.do_step()
                progress(training.report())
                (interrupted,) = ranks.total([came() is not None])
                if interrupted:
                    training.save()
                    raise InterruptedRunError(
                        f"interrupted by {came() or 'another process'} after step {training.step:,} of {steps:,}, "
                        "which is saved; the same command goes on from there"
                    )
        result = training.result()
        training.publish(result)
        return result


@contextmanager
def _full_memory_is_a_run_error() -> Iterator[None]:
    """Report memory that torch cannot allocate in one sentence that says what to change."""
    try:
        yield
    except (RuntimeError, MemoryError) as error:  # torch has an own error on a GPU, and a RuntimeError on a CPU
        words = str(error).splitlines()[0] if str(error) else ""
        if not isinstance(error, (torch.OutOfMemoryError, MemoryError)) and "allocate memory" not in words:
            raise
        raise RunError(
            "the memory is too small for a step or a validation of this training; lower rows_per_pass, "
            f"the length of rows or the size of the model ({words or 'MemoryError'})"
        ) from error


class Training:
    """A model in training: its weights, optimizers, place in the data, and the metrics so far."""

    def __init__(self, job: Planned, work: Work, steps: int, ranks: Ranks) -> None:
        settings = job.settings
        if settings.rows_per_step % ranks.ranks:
            raise InputError(
                f"train.rows_per_step = {settings.rows_per_step} cannot be shared by {ranks.ranks} processes; "
                "make it a multiple"
            )
        self.job, self.work, self.steps, self.ranks = job, work, steps, ranks
        self.step, self.position, self.metrics = 0, Position(), Metrics()
        work.objective.recompute = settings.recompute
        self.model = work.new_model()
        self._in_shards = ranks.shards(self.model, settings.sharding)
        self._losses = Losses(self.model, work.objective)
        self._replicas = self._prepared(self._losses)
        self.optimizers = Optimizers(self.model, settings, steps)
        self.guard = Guard(settings.guard)
        self.files = work.files(self.model)
        self._recent: list[tuple[float, float]] = []  # losses and gradient norms since the last record
        self._before, self._started = 0.0, time.monotonic()  # seconds of earlier runs; start of this run
        self._first_step, self._waited, self._validated = 0, 0.0, 0.0  # seconds of waiting and of validation

    def _prepared(self, losses: Losses) -> nn.Module:
        """The module that training calls: its layers recompute or are compiled, and it is sharded or replicated."""
        compiles = self._on_cuda and self.model.compiles
        compile_and_recompute(
            losses, compiles=compiles, by_layer=self.ranks.ranks > 1, recompute=self.job.settings.recompute
        )
        if self._in_shards:
            return self.ranks.shard(losses)
        return self.ranks.replicate(losses, some_unused=self.work.some_unused)

    @property
    def _on_cuda(self) -> bool:
        return self.ranks.device.type == "cuda"

    @property
    def tokens(self) -> int:
        """The number of training tokens seen."""
        return self.step * self.work.tokens_per_step

    @property
    def seconds(self) -> float:
        """Seconds of training, including earlier runs."""
        return self._before + time.monotonic() - self._started

    @property
    def ended(self) -> bool:
        """Whether all steps are done, or the validation loss has not become lower for too long."""
        return self.step >= self.steps or self._out_of_patience

    @property
    def _out_of_patience(self) -> bool:
        patience = self.job.settings.patience
        if patience is None:
            return False
        losses = [loss for loss in self.metrics.series("validation_loss") if math.isfinite(loss)]
        return bool(self.ranks.agree(bool(losses) and len(losses) - losses.index(min(losses)) > patience))

    def resume(self) -> None:
        """Continue from the newest checkpoint.  If there is none, measure the untrained model."""
        if self.ranks.leads:
            checkpoint.tidy(self.job.out)
        found = checkpoint.load(self.job.out)
        self._started = time.monotonic()
        step = 0 if found is None else found.step
        if self.ranks.agree(step) != step:
            raise InputError(f"{self.job.out}: the processes do not see the same checkpoint; they need a shared folder")
        if found is None:
            if self.ranks.leads:
                for metric, value in self.work.baselines():
                    self._record(metric, value)
            self._validate()
            return
        self._load(found.model, found.optimizers)
        self.metrics = Metrics(found.metrics)
        self.guard = Guard(self.job.settings.guard, **found.guard)
        self.step = self._first_step = found.step
        self.position, self._before = found.position, found.seconds
        self._recent = found.recent

    def do_step(self) -> None:
        """Do one step, and then whatever is due: recording, validation, checkpoint."""
        settings = self.job.settings
        loss = self.update()
        last = self.step == self.steps
        if last and 2 * self.guard.skipped > self.steps:
            raise self._diverged(loss)
        if self.step % LOSS_EVERY == 0 or last:
            self._record_loss()
        if self.step % settings.validate_every == 0 or last:
            self._validate()
        if self.step % settings.checkpoint_every == 0 or last:
            self.save()

    def save(self) -> None:
        """Write a checkpoint, if this process is the one that writes."""
        if state := self._checkpoint():
            checkpoint.save(self.job.out, state, self.files)

    def update(self, scale: float = 1.0) -> float:
        """Take the next rows and update the weights, unless the guard refuses; returns the loss."""
        self.step += 1
        started = time.monotonic()
        passes = self._next_passes()
        self._waited += time.monotonic() - started
        counts = self._counts([batch for _, batch in passes])
        total = torch.zeros((), device=self.ranks.device)
        self.model.train()
        for number, (first_row, batch) in enumerate(passes, start=1):
            with summing_up(self._replicas, last=number == len(passes)):
                total += self._pass(batch, counts, first_row)
        loss = self.ranks.mean(total)
        norm = float(self.optimizers.gradient_norm())
        match self.guard.judge(loss, norm):
            case Verdict.USE:
                self._recent.append((loss, norm))
                self.optimizers.step(self.step, scale)
            case Verdict.SKIP:
                self.optimizers.reset()
            case Verdict.ROLL_BACK:
                self._roll_back()
            case Verdict.GIVE_UP:
                raise self._diverged(loss)
        return loss

    def _next_passes(self) -> list[tuple[int, Batch]]:
        """The batches of this rank, each with the number of its first row in the step."""
        settings, ranks = self.job.settings, self.ranks
        n = settings.rows_per_step
        ids = self.work.rows.take(self.position, n, rank=ranks.rank, ranks=ranks.ranks)
        self.position = self.work.rows.advance(self.position, n)
        first, size = ranks.rank * n // ranks.ranks, settings.rows_per_pass or len(ids)
        passes = []
        for at in range(0, len(ids), size):
            part = ids[at : at + size]
            keys = [(settings.seed, TRAINING, self.step, first + at + row) for row in range(len(part))]
            passes.append((first + at, self.work.objective.batch(part, keys, training=True)))
        return passes

    def _counts(self, batches: list[Batch]) -> list[int]:
        """The number of targets of each loss in this step, of all ranks together."""
        of_batches = [[int((targets != IGNORED).sum()) for targets in batch.targets] for batch in batches]
        return [max(count, 1) for count in self.ranks.total([sum(each) for each in zip(*of_batches, strict=True)])]

    def _pass(self, batch: Batch, counts: list[int], first_row: int) -> Tensor:
        """Add the gradients of a pass; returns its share of the step's loss (times the number of ranks)."""
        draw = uniform((self.job.settings.seed, TRAINING, self.step, first_row), 1)[0]
        torch.manual_seed(int(draw * 2**53))  # for dropout
        losses = self._losses_of(self._replicas, batch, training=True)
        means = [each.sum() / count for each, count in zip(losses, counts, strict=True)]
        loss = torch.stack(means).sum() * self.ranks.ranks if len(means) > 1 else means[0] * self.ranks.ranks
        loss.backward()  # type: ignore[no-untyped-call]
        return loss.detach()

    def _losses_of(self, module: nn.Module, batch: Batch, *, training: bool) -> tuple[Tensor, ...]:
        device = self.ranks.device
        targets = tuple(each.to(device) for each in batch.targets)
        arguments = self.model.prepare(batch.inputs.to(device))
        with self._autocast():
            losses: tuple[Tensor, ...] = module(arguments, targets, training)
        return losses

    def _roll_back(self) -> None:
        """Return to the weights and optimizers of the last checkpoint, and go on with the next rows."""
        found = checkpoint.load(self.job.out)
        if found is None:
            self._load(self.work.new_model().state_dict(), {})
        else:
            self._load(found.model, found.optimizers)
        self.optimizers.reset()

    def _load(self, weights: Mapping[str, Tensor], optimizers: Mapping[str, Tensor]) -> None:
        """Load whole tensors; they are divided if the model is."""
        own = self.model.state_dict()
        if own.keys() == weights.keys():  # else torch names the difference
            weights = {name: divided_like(weights[name], tensor) for name, tensor in own.items()}
        self.model.load_state_dict(weights)
        self.optimizers.load(optimizers)

    def report(self) -> StepReport:
        """The present state of training."""
        here = max(self.seconds - self._before, 1e-9)
        done = max(self.step - self._first_step, 1)
        return StepReport(
            step=self.step,
            steps=self.steps,
            loss=self.last_loss(),
            validation_loss=self.metrics.newest("validation_loss"),
            validation_bits_per_byte=self.metrics.newest("validation_bits_per_byte"),
            tokens=self.tokens,
            seconds=self.seconds,
            tokens_per_second=done * self.work.tokens_per_step / here,
            seconds_left=(self.steps - self.step) * here / done,
            waiting_share=self._waited / here,
            memory_bytes=memory_bytes(self.ranks.device),
            mfu=self._mfu(done * self.work.tokens_per_step / max(here - self._validated, 1e-9)),
            skipped_steps=self.guard.skipped,
        )

    def _mfu(self, tokens_per_second: float) -> float | None:
        """The model's floating-point operations, as a share of what the GPUs can do (PaLM's definition)."""
        peak = peak_flops(self.ranks.device)
        if peak is None:
            return None
        needed = self.model.flops_per_token(self.job.settings.row_length) * tokens_per_second
        return needed / (peak * self.ranks.ranks)

    def result(self) -> TrainResult:
        """The result of training."""
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
            trigram_validation_loss=self.metrics.newest("trigram_validation_loss"),
        )

    def publish(self, result: TrainResult) -> None:
        """Put the finished model in place, with its receipt last, and delete the checkpoint, if this process writes."""
        last = self._checkpoint()
        if last is None:
            return
        weights = checkpoint.best(self.job.out) if self.work.keeps_best else None
        published = self.work.publishable(last.model if weights is None else weights)
        checkpoint.publish(self.job.out, replace(last, model=dict(published)), self.files)
        parameters = sum(parameter.numel() for parameter in self.model.parameters())
        self.job.finish(result, parameters=parameters, torch=version("torch"), device=self.ranks.device.type)
        self.job.clear()

    def last_loss(self) -> float:
        """The mean loss of the steps recorded last; before the first record, the loss of the newest step."""
        recorded = self.metrics.newest("loss")
        if recorded is None:
            return self._recent[-1][0] if self._recent else math.nan
        return recorded

    def _record_loss(self) -> None:
        if self._recent:  # else the guard has skipped all these steps
            losses, norms = zip(*self._recent, strict=True)
            self._recent = []
            self._record("loss", sum(losses) / len(losses))
            self._record("gradient_norm", sum(norms) / len(norms))
        self._record("learning_rate_share", self.optimizers.factor(self.step))
        report = self.report()
        self._record("tokens_per_second", report.tokens_per_second)
        self._record("waiting_share", report.waiting_share)
        self._record("memory_bytes", report.memory_bytes)
        if report.mfu is not None:
            self._record("mfu", report.mfu)
        if self.guard.skipped:
            self._record("skipped_steps", self.guard.skipped)
            self._record("rollbacks", self.guard.rollbacks)

    def _diverged(self, loss: float) -> InputError:
        return InputError(
            f"{self.guard.skipped} of {self.step} steps were skipped, because their loss or gradient was not finite or "
            f"the loss was a spike (the last is {loss:.3g}): training diverged; "
            "lower the learning rates in train.optimizer"
        )

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
        if not (self.ranks.leads or self._in_shards):  # all ranks gather the weights of a model in shards
            return
        started = time.monotonic()
        for metric, source, value in self.work.validation.measure(self.validation_losses):
            self._record(metric, value, source)
        losses = self.metrics.series("validation_loss")
        if self.work.keeps_best and losses and losses[-1] == min(losses):
            weights = self.ranks.gathered(self.model.state_dict())
            if self.ranks.leads:
                checkpoint.keep_best(self.job.out, weights)
        self._validated += time.monotonic() - started
        if self.ranks.leads:
            self._write_metrics()

    def _write_metrics(self) -> None:
        checkpoint.write_metrics(self.job.out, self.metrics.table())
        if self.job.settings.tensorboard:
            write_tensorboard(self.job.out, self.metrics.table())

    def validation_losses(self, batch: Batch) -> tuple[Tensor, ...]:
        """Loss of every target, without gradients."""
        self.model.eval()
        with torch.no_grad():
            return self._losses_of(self._losses, batch, training=False)

    def _autocast(self) -> AbstractContextManager[object]:
        return torch.autocast("cuda", torch.bfloat16) if self._on_cuda else nullcontext()

    def _checkpoint(self) -> Checkpoint | None:
        """The state of training; None on a rank that does not write.  All ranks gather the weights in shards."""
        if not (self.ranks.leads or self._in_shards):
            return None
        model, optimizers = self.ranks.gathered(self.model.state_dict()), self.ranks.gathered(self.optimizers.state())
        if not self.ranks.leads:
            return None
        return Checkpoint(
            step=self.step,
            position=self.position,
            seconds=self.seconds,
            recent=self._recent,
            guard=self.guard.state(),
            model=model,
            optimizers=optimizers,
            metrics=self.metrics.table(),
        )


def compile_and_recompute(
    losses: nn.Module, *, compiles: bool, by_layer: bool, recompute: bool, backend: Any = "inductor"
) -> None:
    """Let torch compile a module, as a whole or each layer by itself, and let the layers recompute.

    A layer is compiled before it is made to recompute.  In the other order, torch would compile nothing: a function
    that is to be compiled cannot begin with torch's own code for recomputing.
    """
    for layer in layers_of(losses):
        if compiles and by_layer:
            layer.forward = torch.compile(layer.forward, backend=backend)
        if recompute:
            layer.forward = partial(checkpointed, layer.forward, use_reentrant=False)
    if compiles and not by_layer:
        losses.compile(backend=backend)


def _steps_that_fit(job: Planned, work: Work, ranks: Ranks) -> int:
    """The settings' steps, or fewer if these do not fit into `max_seconds`; measured on a model that is discarded."""
    settings = job.settings
    if settings.max_seconds is None:
        return settings.steps
    trial = Training(job, work, settings.steps, ranks)
    trial.update()  # compiles, allocates
    trial.last_loss()
    started = time.monotonic()
    for _ in range(_TIMED_STEPS):
        trial.update()
    trial.last_loss()
    a_step = (time.monotonic() - started) / _TIMED_STEPS
    started = time.monotonic()
    work.validation.measure(trial.validation_losses)
    a_validation = time.monotonic() - started
    left = settings.max_seconds - 2 * a_validation  # before the first step and after the last
    return max(1, min(settings.steps, int(left / (a_step + a_validation / settings.validate_every))))
