"""Figures by hand, and beside other libraries."""

import math

import numpy as np
import pytest
from sklearn.metrics import ndcg_score

from corpusmill.finetune.metrics.answers import best_f1, exact_match, of_answers, random_answers
from corpusmill.finetune.metrics.classes import calibration, of_label_sets, of_labels
from corpusmill.finetune.metrics.figure import Figure, figures_of, over_folds, table_of
from corpusmill.finetune.metrics.retrieval import of_ranking
from corpusmill.finetune.metrics.spans import known_spans, looked_up, of_spans
from corpusmill.finetune.metrics.words import is_chinese, words
from corpusmill.finetune.metrics.writing import of_texts


def by_name(figures):
    return {(figure.metric, figure.class_): figure for figure in figures if figure.metric != "confusion"}


def test_classes_by_hand():
    right = np.array([0, 0, 0, 1])
    chances = np.array([[0.9, 0.1], [0.8, 0.2], [0.3, 0.7], [0.45, 0.55]])
    figures = of_labels(right, chances, ["no", "yes"], majority=0)
    found = by_name(figures)
    assert (found["accuracy", None].value, found["accuracy", None].baseline) == (0.75, 0.75)
    assert found["precision", "yes"].value == 0.5
    assert found["recall", "no"].value == pytest.approx(2 / 3)
    assert found["f1", "yes"].value == pytest.approx(2 / 3)
    assert found["f1_macro", None].value == pytest.approx((0.8 + 2 / 3) / 2)
    assert found["f1_macro", None].baseline == pytest.approx((6 / 7 + 0) / 2)
    assert found["f1_micro", None].value == 0.75
    assert found["roc_auc", "yes"].value == pytest.approx(2 / 3)  # one of three negatives is higher
    confusion = {(f.class_, f.predicted): f.value for f in figures if f.metric == "confusion"}
    assert confusion == {("no", "no"): 2, ("no", "yes"): 1, ("yes", "no"): 0, ("yes", "yes"): 1}


def test_calibration_by_hand():
    found = by_name(calibration(np.array([True, True, False, True]), np.array([0.95, 0.85, 0.85, 1.0])))
    assert found["bin_accuracy", "0.8 to 0.9"].value == 0.5
    assert found["bin_probability", "0.9 to 1.0"].value == pytest.approx(0.975)
    assert found["bin_probability", "0.9 to 1.0"].n == 2
    assert found["calibration_error", None].value == pytest.approx((0.025 * 2 + 0.35 * 2) / 4)


def test_label_sets_by_hand():
    right = np.array([[1, 0], [1, 1], [0, 0]])
    chances = np.array([[0.9, 0.6], [0.9, 0.9], [0.1, 0.2]])
    found = by_name(of_label_sets(right, chances, ["a", "b"], np.array([1, 0])))
    assert found["accuracy", None].value == pytest.approx(2 / 3)
    assert found["accuracy", None].baseline == pytest.approx(1 / 3)
    assert found["f1_micro", None].value == pytest.approx(6 / 7)
    assert found["roc_auc", "b"].value == 1.0


def test_a_label_that_all_examples_have_has_no_auc():
    found = by_name(of_labels(np.array([0, 0]), np.array([[0.6, 0.4], [0.7, 0.3]]), ["a", "b"], 0))
    assert ("roc_auc", "a") not in found
    assert ("roc_auc_macro", None) not in found


def test_spans_by_hand():
    """The third text has a span with a wrong end, and one with a wrong label."""
    right = [[(0, 3, "PER")], [], [(0, 5, "PER"), (6, 9, "LOC")]]
    said = [[(0, 3, "PER")], [(1, 2, "LOC")], [(0, 4, "PER"), (6, 9, "PER")]]
    found = by_name(of_spans(right, said, [[], [], []]))
    assert found["precision", "PER"].value == pytest.approx(1 / 3)
    assert found["recall", "PER"].value == 0.5
    assert found["f1", "PER"].value == pytest.approx(0.4)
    assert found["f1", "LOC"].value == 0
    assert found["f1_micro", None].value == pytest.approx(2 * 1 / (3 + 4))
    assert found["f1_macro", None].value == pytest.approx(0.2)
    assert (found["f1_micro", None].baseline, found["f1_micro", None].n) == (0, 3)


def test_the_dictionary_takes_the_longest():
    known = known_spans(["New York is new", "York"], [[(0, 8, "CITY")], [(0, 4, "NAME")]])
    assert looked_up("to New York, York", known) == [(3, 11, "CITY"), (13, 17, "NAME")]


def test_answers():
    assert exact_match("The cat!", ["a dog", "the cat"]) == 1
    assert best_f1("red cat", ["cat"]) == pytest.approx(2 / 3)
    assert best_f1("北京市", ["北京"]) == pytest.approx(0.8)
    assert (best_f1("", []), best_f1("x", []), best_f1("", ["x"])) == (1, 0, 0)
    found = by_name(of_answers([["a"], []], ["a", ""], ["b", "b"]))
    assert (found["exact_match", None].value, found["exact_match", None].baseline) == (1, 0)
    assert (found["no_answer_accuracy", None].value, found["no_answer_accuracy", None].n) == (1, 1)
    assert [len(text) for text in random_answers(["abcdef", "ab", ""], [3, 3, 9], seed=1)] == [3, 2, 0]


def test_words():
    assert words("Don't 我们，see ＡＢ2 ไทย") == ["don", "t", "我", "们", "see", "ab2", "ไ", "ท", "ย"]
    assert is_chinese("两本红书")
    assert not is_chinese("two red books, 书")


def test_written_texts():
    found = by_name(of_texts(["two red cats sit here"], ["two red cats sit there"], [["x"], ["two red dogs sit here"]]))
    assert found["rouge_1", None].value == pytest.approx(0.8)
    assert found["rouge_2", None].value == pytest.approx(0.75)
    assert found["bleu", None].value == pytest.approx(100 * (4 / 5 * 3 / 4 * 2 / 3 * 1 / 2) ** 0.25, abs=1e-3)
    assert (found["rouge_1", None].baseline, found["exact_match", None].value) == (pytest.approx(0.8), 0)
    chinese = by_name(of_texts(["我们去公园散步"], ["我们去公园跑步"], [["我们去公园散步"]]))
    assert chinese["rouge_1", None].value == pytest.approx(6 / 7)
    assert 0 < chinese["bleu", None].value < 100
    assert chinese["bleu", None].baseline == pytest.approx(100)


def test_rankings():
    similarity = np.array([[0.9, 0.1, 0.8, 0.3], [0.5, 0.5, 0.2, 0.1]])
    found = by_name(of_ranking(similarity, [[2, 3], [0]]))
    assert found["mrr", None].value == pytest.approx((1 / 2 + 1 / 2) / 2)  # the second has a tie, which counts against
    assert found["recall_at_1", None].value == 0
    assert found["recall_at_5", None].value == 1
    one = by_name(of_ranking(similarity[:1], [[2, 3]]))
    assert one["ndcg_at_10", None].value == pytest.approx(ndcg_score([[0, 0, 1, 1]], similarity[:1]))
    n = 20
    chance = by_name(of_ranking(np.eye(n), [[i] for i in range(n)]))
    assert chance["mrr", None].value == 1
    assert chance["recall_at_5", None].baseline == pytest.approx(5 / n, abs=0.07)
    assert chance["mrr", None].baseline == pytest.approx(sum(1 / r for r in range(1, n + 1)) / n, abs=0.05)


def test_figures_of_folds_and_of_a_table():
    one, two = (Figure(metric="accuracy", value=v, baseline=0.5, n=10) for v in (0.6, 0.8))
    found = over_folds([[one], [two]])
    assert [figure.part for figure in found] == ["fold 1", "fold 2", "folds"]
    assert (found[2].value, found[2].baseline, found[2].n) == (pytest.approx(0.7), 0.5, 20)
    assert found[2].deviation == pytest.approx(math.sqrt(0.02))
    assert figures_of(table_of("tokens", found)) == found
