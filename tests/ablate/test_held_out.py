"""Held-out documents: which are found, which are left out, and corpora that share their parts."""

import pyarrow as pa
import pytest

from corpusmill.ablate.corpora import link
from corpusmill.ablate.held_out import CONFIRM, SEARCH, Document, HeldOut, overlapping
from corpusmill.ablate.settings import HeldOutSettings
from corpusmill.corpus import Corpus
from corpusmill.errors import InputError
from tests.pipelines.conftest import documents, write_jsonl
from tests.train.conftest import documents as token_documents
from tests.train.conftest import write_tokens

TEXTS = [row["text"] for row in documents(12, seed=5) if len(row["text"]) > 300]
CHINESE = "今天天气很好，我们去公园散步，他喜欢在树下读书，孩子们在草地上放风筝，老人坐在长椅上聊天，远处传来琴声。"


def document(number, text):
    return Document(f"{number:024x}", "s", None, text)


def test_a_near_copy_overlaps_and_another_text_does_not():
    mine = [document(0, TEXTS[0]), document(1, TEXTS[1]), document(2, CHINESE)]
    trained = pa.chunked_array([["Before. " + TEXTS[0][:800], CHINESE + "完。", TEXTS[2]]], pa.large_string())
    assert overlapping(mine, trained, 0.2) == {mine[0].doc_id, mine[2].doc_id}


def test_two_documents_that_share_a_passage_with_one_text_are_both_found():
    mine = [document(0, TEXTS[0]), document(1, TEXTS[0] + " Another end.")]
    assert len(overlapping(mine, pa.chunked_array([[TEXTS[0]]], pa.large_string()), 0.2)) == 2


def test_a_short_overlap_is_allowed():
    mine = [document(0, TEXTS[0])]
    trained = pa.chunked_array([[" ".join(TEXTS[0].split()[:20])]], pa.large_string())
    assert overlapping(mine, trained, 0.5) == set()


def test_documents_of_files_are_cut_and_each_is_there_once(tmp_path):
    write_jsonl(tmp_path / "some.jsonl", [{"text": text} for text in (*TEXTS, TEXTS[0], CHINESE, "  ")])
    settings = HeldOutSettings(files=["some.jsonl"], max_chars=200)
    found = HeldOut.of(settings, Corpus(tmp_path / "none"), tmp_path).documents
    assert {each.text for each in found} == {text[:200] for text in (*TEXTS, CHINESE)}
    assert {each.source for each in found} == {"some"}
    assert [each.doc_id for each in found] == sorted(each.doc_id for each in found)
    assert sum(each.n_bytes for each in found) > sum(len(each.text) for each in found)  # Chinese


def test_of_too_many_a_part_is_taken_that_grows(tmp_path):
    write_jsonl(tmp_path / "some.jsonl", [{"text": text} for text in TEXTS])
    few, more = (
        {
            d.text
            for d in HeldOut.of(HeldOutSettings(files=["some.jsonl"], documents=n), Corpus("x"), tmp_path).documents
        }
        for n in (3, 5)
    )
    assert (len(few), len(more)) == (3, 5)
    assert few < more


def test_halves_do_not_depend_on_the_other_documents():
    halves = {document(number, "").half for number in range(20)}
    assert halves == {SEARCH, CONFIRM}


def test_too_few_documents_are_refused(tmp_path):
    write_jsonl(tmp_path / "some.jsonl", [{"text": "one"}])
    with pytest.raises(InputError, match="only 1 held-out documents"):
        HeldOut.of(HeldOutSettings(files=["some.jsonl"]), Corpus("x"), tmp_path)


def test_a_corpus_is_copied_by_links_without_what_is_its_own(tmp_path):
    write_tokens(tmp_path / "one", [token_documents(20)])
    for name in ("recipe.toml", "catalog.duckdb", ".lock", "models/m/model.safetensors", "ablations/a/x"):
        (tmp_path / "one" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "one" / name).write_text("x")
    link(tmp_path / "one", tmp_path / "all" / "two")
    part = "tokens/part-0.parquet"
    assert (tmp_path / "one" / part).samefile(tmp_path / "all/two" / part)
    assert {path.name for path in (tmp_path / "all/two").iterdir()} == {"recipe.toml", "tokens", "tokenizer"}
    before = (tmp_path / "one" / part).read_bytes()
    Corpus(tmp_path / "all/two").write_text("tokens/part-0.parquet", "another part")
    assert (tmp_path / "one" / part).read_bytes() == before


def test_a_folder_without_a_corpus_is_refused(tmp_path):
    with pytest.raises(InputError, match="not a corpus directory"):
        link(tmp_path / "none", tmp_path / "two")
