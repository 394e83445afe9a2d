"""Figures of written text: BLEU and chrF (sacrebleu), ROUGE (rouge-score), exact match.

BLEU and ROUGE compare words.  Chinese has no spaces, so each of its characters is a word.  Nothing is downloaded.
The baseline is the better of two: always the most frequent output of the training examples, or a copy of the input.
"""

from collections.abc import Sequence
from statistics import fmean

from rouge_score.rouge_scorer import RougeScorer
from sacrebleu.metrics.bleu import BLEU
from sacrebleu.metrics.chrf import CHRF

from corpusmill.finetune.metrics.figure import Figure
from corpusmill.finetune.metrics.words import is_chinese, words

_ROUGE = {"rouge1": "rouge_1", "rouge2": "rouge_2", "rougeL": "rouge_l"}


class _Words:
    """The words of a text, for rouge-score, whose own tokenizer knows ASCII only."""

    def tokenize(self, text: str) -> list[str]:
        return words(text)


def of_texts(right: Sequence[str], said: Sequence[str], trivial: Sequence[Sequence[str]]) -> list[Figure]:
    """BLEU and chrF of all texts together (0 to 100), and the means of ROUGE's F1 and of exact matches (0 to 1).

    trivial: the texts of each baseline
    """
    ours, theirs = _scores(right, said), [_scores(right, each) for each in trivial]
    return [
        Figure(metric=name, value=value, baseline=max(each[name] for each in theirs), n=len(right))
        for name, value in ours.items()
    ]


def _scores(right: Sequence[str], said: Sequence[str]) -> dict[str, float]:
    tokenize = "zh" if is_chinese(" ".join(right)) else "13a"
    scorer = RougeScorer([*_ROUGE], tokenizer=_Words())
    rouge = [scorer.score(theirs, ours) for theirs, ours in zip(right, said, strict=True)]
    return {
        "bleu": float(BLEU(tokenize=tokenize).corpus_score(said, [right]).score),
        "chrf": float(CHRF().corpus_score(said, [right]).score),
        **{name: fmean(float(each[key].fmeasure) for each in rouge) for key, name in _ROUGE.items()},
        "exact_match": fmean(float(ours.strip() == theirs.strip()) for theirs, ours in zip(right, said, strict=True)),
    }
