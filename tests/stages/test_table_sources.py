"""The settings of sources that are tables or archives: which of them renew the pages."""

import pytest

from corpusmill.collect.formats import FORMATS
from tests.collect.sources import a_source

SETTINGS = {  # kind -> setting -> another value
    "csv": {"columns": {"text": "body"}, "delimiter": ";", "encoding": "cp1252"},
    "arrow": {"columns": {"text": "a.b"}},
    "dataset": {"columns": {"text": "body"}, "splits": ["train"]},
    "commoncrawl": {"hosts": ["*.example"], "languages": ["deu"], "mime_types": [], "statuses": [200, 203]},
}
PLACES = {"warc": "base", "wet": "base", "wat": "base", "commoncrawl": "base"}  # where files are is no part of the rows


@pytest.mark.parametrize(("kind", "setting"), [(kind, name) for kind, names in SETTINGS.items() for name in names])
def test_a_changed_setting_is_another_identity(kind, setting):
    format = FORMATS[kind]
    before = a_source(name="s", kind=kind, paths=["x"])
    after = a_source(name="s", kind=kind, paths=["x"], **{setting: SETTINGS[kind][setting]})
    assert format.identity(before) != format.identity(after)


@pytest.mark.parametrize(("kind", "setting"), PLACES.items())
def test_a_changed_place_is_the_same_identity(kind, setting):
    format = FORMATS[kind]
    places = [a_source(name="s", kind=kind, paths=["x"], **{setting: place}) for place in ("/a", "/b")]
    assert format.identity(places[0]) == format.identity(places[1])
