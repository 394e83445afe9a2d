"""The model as lm-eval (EleutherAI's harness) sees it.  It needs the extra `harness`.

    import corpusmill.evaluate.harness  # registers the model under the name corpusmill
    lm_eval.simple_evaluate(model="corpusmill", model_args="model=my-corpus/models/base", tasks=[...])

Decoders and LSTMs answer all kinds of requests.  Encoders and encoder-decoders answer `loglikelihood` only, by the
pseudo-log-likelihood and by the span that is missing.  Texts that are longer than a training row lose their beginning.
"""

from collections.abc import Sequence
from itertools import groupby
from typing import Any

from lm_eval.api.instance import Instance
from lm_eval.api.model import LM
from lm_eval.api.registry import register_model

from corpusmill.errors import InputError
from corpusmill.evaluate.scorer import Scorer
from corpusmill.evaluate.subject import Subject
from corpusmill.generate.settings import Sampling
from corpusmill.train.trained import load

MAX_TOKENS = 256  # of a text that is generated, unless the task says
BLOCK = 64  # requests at a time


@register_model("corpusmill")
class CorpusmillLM(LM):  # type: ignore[misc]  # lm-eval has no types
    """A trained model.  `model` is its folder, `device` is cpu or cuda."""

    def __init__(self, model: str, device: str = "cpu", **_: Any) -> None:
        super().__init__()
        subject = Subject.of(model)
        trained = load(subject.folder, device)
        self._scorer = Scorer(trained, subject.objective(trained.kind))

    def loglikelihood(self, requests: Sequence[Instance]) -> list[tuple[float, bool]]:
        """For each (context, continuation), its log-likelihood, and whether it is the most likely one."""
        questions = [self._scorer.question(*request.args) for request in requests]
        found: list[tuple[float, bool]] = []
        for start in range(0, len(questions), BLOCK):
            scores = self._scorer.scores(questions[start : start + BLOCK])
            found += [(score.log_likelihood, score.is_greedy) for score in scores]
        return found

    def loglikelihood_rolling(self, requests: Sequence[Instance]) -> list[float]:
        """For each text, the log-likelihood of all its tokens."""
        if not self._scorer.predicts_every_token:
            raise InputError(
                f"{self._scorer.trained.folder}: does not predict every token, so a text has no likelihood"
            )
        texts = [request.args[0] for request in requests]
        ids = [self._scorer.trained.encode(text) for text in texts]
        sums, _ = self._scorer.document_losses(texts, ids)
        return [-float(each) for each in sums]

    def generate_until(self, requests: Sequence[Instance]) -> list[str]:
        """For each (context, settings), the most likely continuation.  `until` and `max_gen_toks` are used."""
        found: list[str] = []
        for how, group in groupby(requests, key=lambda request: _greedy(request.args[1])):
            found += self._scorer.continuations([request.args[0] for request in group], how)
        return found


def _greedy(settings: dict[str, Any]) -> Sampling:
    """A task's settings of generation.  An empty string stops nothing."""
    until = settings.get("until") or []
    stops = [until] if isinstance(until, str) else until
    return Sampling(
        temperature=0,
        max_tokens=int(settings.get("max_gen_toks", MAX_TOKENS)),
        stop=tuple(stop for stop in stops if stop),
    )
