"""docs/edits.md: its examples run, and it names every kind with every setting and its default."""

import doctest
import re
import tomllib
from pathlib import Path

import pytest

from corpusmill.filters.edits import KINDS, EditSettings
from corpusmill.recipe import parse

PAGE = (Path(__file__).parents[3] / "docs/edits.md").read_text("utf-8")
OF_ALL = set(EditSettings.model_fields)


def test_the_examples():
    parsed = doctest.DocTestParser().get_doctest(PAGE, {}, "edits.md", None, 0)
    assert len(parsed.examples) > 8
    assert doctest.DocTestRunner().run(parsed).failed == 0


def test_the_recipes_are_valid():
    found = re.findall(r"^```toml\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
    assert len(found) == 2
    for text in found:
        parse({"sources": [{"name": "a", "kind": "text", "paths": ["a"]}], **tomllib.loads(text)})


@pytest.mark.parametrize("kind", KINDS)
def test_every_setting_is_there_with_its_default(kind):
    section = PAGE.split(f"\n## `{kind}`\n")[1].split("\n## ")[0]
    named = dict(re.findall(r"^\| `(\w+)` \| ?(.*?) ?\|", section, re.MULTILINE))
    fields = {name: field for name, field in KINDS[kind].settings.model_fields.items() if name not in OF_ALL}
    assert named.keys() - {"tfds", "datatrove", "every_script"} == fields.keys()
    for name, field in fields.items():
        short = field.default if not isinstance(field.default, list) or not field.default else "a list"
        bare = named[name].strip("`")
        if kind == "c4_lines" and name == "min_words":  # it depends on the variant
            assert bare == "5`; datatrove: `3"
        else:
            assert {"true": "True", "false": "False", "": "None"}.get(bare, bare) == str(short)
