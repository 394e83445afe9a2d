"""What the parts of dumps and documents depend on: each setting of their sources, and of extraction what they use."""

import pytest

from corpusmill.stages.pages import PAGES
from tests.stages.plain import job_of

SETTINGS = {  # kind: another value of each of its settings
    "wikipedia": {"namespaces": [0, 14]},
    "stackexchange": {"site": "https://stackoverflow.com"},
    "tmx": {"units_per_record": 7, "languages": ["en", "zh"]},
}
DOCUMENTS = ("epub", "docx", "feed", "mbox", "stackexchange", "wikipedia")


def identity(folder, kind, extract=None, **keys):
    source = {"name": "s", "kind": kind, "paths": ["*"], **keys}
    job = job_of({"sources": [source], "extract": extract or {}}, folder)
    return PAGES.identity(job, job.recipe.sources[0])


@pytest.mark.parametrize(("kind", "setting"), [(kind, name) for kind, names in SETTINGS.items() for name in names])
def test_each_setting_counts(tmp_path, kind, setting):
    assert identity(tmp_path, kind, **{setting: SETTINGS[kind][setting]}) != identity(tmp_path, kind)


@pytest.mark.parametrize("kind", [*DOCUMENTS, "pdf", "tmx"])
def test_of_extraction_only_what_is_used_counts(tmp_path, kind):
    usual = identity(tmp_path, kind)
    assert (identity(tmp_path, kind, {"format": "markdown"}) != usual) == (kind in DOCUMENTS)
    assert identity(tmp_path, kind, {"extractor": "resiliparse"}) == usual
    assert identity(tmp_path, kind, {"max_page_bytes": 1000}) != usual
