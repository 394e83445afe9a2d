"""Trainings that the kernel kills at random moments, and what comes out of them.

    python -m tests.train.kills --rounds 100 --seed 7      # or: make kills ARGS="--rounds 100 --seed 7"

A round trains a model of one kind in a process, and kills it with SIGKILL several times: after a random step and a
random time, also while it writes a checkpoint.  The same training then goes on, in a process that has another number of
threads.  At the end, weights, tokenizer, losses and gradients have the bits of a training without interruption, and no
temporary file is left.  A short batch is among the tests.
"""

import argparse
import random
import shutil
import tempfile
import time
from pathlib import Path

from corpusmill.train.machine import using_threads
from corpusmill.train.run import train
from corpusmill.train.settings import TrainSettings
from tests.train.conftest import GROUPED, KINDS, documents, metrics, same, small, weights, write_tokens
from tests.train.together import PROCESSES

FIGURES = ("loss", "gradient_norm", "validation_loss", "validation_order_loss", "validation_bits_per_byte")
OWN = """
from corpusmill.train.batch import IGNORED, Batch
from corpusmill.train.objectives.causal import Causal


class AfterNext(Causal):
    predicts_every_token = False

    def batch(self, rows, keys, *, training):
        inputs, (targets,), origins = super().batch(rows, keys, training=training)
        later = targets.roll(-1, 1)
        later[:, -1] = IGNORED
        return Batch(inputs, (later,), origins.roll(-1, 1))
"""


class Kills:
    """Rounds of trainings on one corpus.  Each kind is also trained without interruption, once."""

    def __init__(self, corpus: Path, folder: Path) -> None:
        self.corpus, self.folder = corpus, folder
        (folder / "own.py").write_text(OWN)
        own = {"kind": "own", "path": str(folder / "own.py")}
        self.kinds: dict[str, TrainSettings] = {**KINDS, "own": small(model=GROUPED, objective=own)}

    def undisturbed(self, kind: str) -> Path:
        """The folder of a model that was never killed."""
        out = self.folder / kind
        if not out.exists():
            with using_threads(1):
                train(self.corpus, self.kinds[kind], out)
        return out

    def round(self, kind: str, seed: int, kills: int = 3) -> str:
        """Train a model that is killed; says when.  AssertionError if it is not the undisturbed one."""
        rng, out = random.Random(f"{kind} {seed}"), self.folder / f"{kind} {seed}"
        settings = self.kinds[kind].model_copy(update={"checkpoint_every": rng.choice([1, 2, 5])})
        threads = [1, *(rng.randint(2, 4) for _ in range(kills))]
        told = ", ".join(self._killed(settings, out, rng, threads[number]) for number in range(kills))
        told = f"{kind}, seed {seed}: killed {told}"
        with using_threads(threads[-1]):
            train(self.corpus, settings, out)
        whole = self.undisturbed(kind)
        assert same(weights(out), weights(whole)), told
        assert metrics(out, *FIGURES) == metrics(whole, *FIGURES), told
        assert {path.name for path in out.iterdir()} == {path.name for path in whole.iterdir()}, told
        shutil.rmtree(out)
        return told

    def _killed(self, settings: TrainSettings, out: Path, rng: random.Random, threads: int) -> str:
        """Train until a random step, and a random time more, and kill it; says when."""
        step = PROCESSES.Value("i", 0, lock=False)  # a killed process would never release a lock
        process = PROCESSES.Process(target=_train, args=(self.corpus, settings, out, step, threads))
        process.start()
        last, more = rng.randrange(settings.steps), rng.random() * 0.05
        while step.value <= last and process.is_alive():
            time.sleep(0.001)
        time.sleep(more)
        process.kill()
        process.join()
        return f"after step {step.value}"


def _train(corpus, settings, out, step, threads):
    def progress(report):
        step.value = report.step

    with using_threads(threads):
        train(corpus, settings, out, progress=progress)


def main() -> None:
    """Many rounds, each with the next seed and the next kind."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        write_tokens(folder / "corpus", [documents(90, end="\n")])
        (folder / "models").mkdir()
        kills = Kills(folder / "corpus", folder / "models")
        for seed in range(options.seed, options.seed + options.rounds):
            kind = [*kills.kinds][seed % len(kills.kinds)]
            print(kills.round(kind, seed, kills=random.Random(seed).randint(1, 6)), flush=True)


if __name__ == "__main__":
    main()
