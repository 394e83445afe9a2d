"""`corpusmill mix`: what a training takes, before and after it."""

import json
import shutil

import pytest

from corpusmill.cli.mixing import _told
from corpusmill.corpus import Corpus
from corpusmill.errors import InputError
from corpusmill.mix import MixSettings, write_mix
from corpusmill.terminal import json_of
from corpusmill.train.mixing import mix_report
from corpusmill.train.run import train
from corpusmill.train.trace import documents_of_step


@pytest.fixture
def own(corpus, tmp_path):
    return shutil.copytree(corpus, tmp_path / "corpus")


def ask(folder, **mix):
    write_mix(Corpus(folder), {}, MixSettings.model_validate(mix))


def test_what_was_promised_is_what_the_steps_had(own, settings):
    ask(own, groups=[{"source": "zh", "share": 0.5}])
    before = mix_report(own, settings)
    rows = {"en": 0, "zh": 0}
    for step in range(1, settings.steps + 1):
        found = {each.row: each.source for each in documents_of_step(own, settings, step)}
        for source in found.values():
            rows[source] += 1
    assert rows["en"] == rows["zh"] == settings.steps * settings.rows_per_step / 2
    wanted = {group.name: group.wanted for group in before.groups}
    assert wanted == {name: n * settings.row_length for name, n in rows.items()}
    assert all(group.epochs == group.wanted / group.available for group in before.groups)

    train(own, settings, own / "models/base")
    (achieved,) = mix_report(own, settings).models
    assert (achieved.model, achieved.steps) == ("base", settings.steps)
    assert achieved.shares == {"en": 0.5, "zh": 0.5}
    assert achieved.tokens == wanted
    ask(own)
    (achieved,) = mix_report(own, settings).models
    assert achieved.shares is None
    assert "model base, 12 steps: trained on other tokens, or with another mix" in _told(mix_report(own, settings))


def test_it_warns_of_many_epochs_and_of_limits(own, settings):
    longer = settings.model_copy(update={"steps": 4000})
    report = mix_report(own, longer)
    assert [warning.partition(":")[0] for warning in report.warnings] == ["en", "zh"]
    assert all("more than 4; new text is worth more" in warning for warning in report.warnings)
    assert "warning: en: each document comes" in _told(report)
    assert json.loads(json_of(report))["groups"][0]["name"] == "en"
    assert not mix_report(own, settings.model_copy(update={"steps": 2})).warnings

    ask(own, groups=[{"source": "zh", "share": 0.9, "epochs": 1}])
    report = mix_report(own, longer)
    assert "zh: a cap leaves it less than its share" in report.warnings
    assert report.warnings[-1].startswith("the training takes 16,000 rows, and the limits of the mix allow")
    with pytest.raises(
        InputError, match="the training takes 16,000 rows, and the epochs and max_tokens of its mix allow"
    ):
        train(own, longer, own / "models/base")
