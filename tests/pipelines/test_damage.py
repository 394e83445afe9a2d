"""Corpora that were damaged from outside: what is gone or garbled is made again, or named in one sentence."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest

import corpusmill
from corpusmill.corpus import Corpus
from corpusmill.errors import CorruptPartError, InputError
from corpusmill.pipelines import supervise
from corpusmill.reports.catalog import open_catalog
from tests.pipelines.conftest import TIMEOUT_S, checksums, command

PARTS = ["pages", "texts", "signals-language", "signals-text", "verdicts", "sketches", "twins", "docs", "tokens"]

FORMS = [b"", b"null", b"[1]", b"{}", b"\xff\xfe", b"not json", b'{"stage": null}', b'{"slices": [1]}',
         b'{"rows_in": "many"}']  # fmt: skip
FILES = ["tokenizer/_receipts/tokenizer.json", "twins/_receipts/_grouping.json", "plan.json", "mix.json", "tables.json",
         "recipe.toml", "run.json"]  # fmt: skip


@pytest.fixture
def own(finished, tmp_path):
    """A finished project of the test's own, and what its files must be."""
    shutil.copytree(finished[0], tmp_path, dirs_exist_ok=True)
    return tmp_path


def part_of(project: Path, stage: str, number: int = 2) -> Path:
    return sorted((project / "corpus" / stage).glob("*.parquet"))[number]


def receipt_of(part: Path) -> Path:
    return part.parent / "_receipts" / f"{part.stem}.json"


def run(project: Path) -> subprocess.CompletedProcess:
    done = subprocess.run(command(project, "--workers", "1"), capture_output=True, text=True, timeout=TIMEOUT_S)
    assert "Traceback" not in done.stderr
    return done


def mended(project: Path, finished) -> subprocess.CompletedProcess:
    """A run after which everything is as it was."""
    done = run(project)
    assert done.returncode == 0, done.stderr
    assert checksums(project / "corpus") == checksums(finished[0] / "corpus")
    assert ledger(project) == 120
    return done


def ledger(project: Path) -> int:
    with open_catalog(project / "corpus") as catalog:
        return catalog.execute("SELECT count(*) FROM ledger WHERE kept IS NOT NULL").fetchone()[0]


@pytest.mark.parametrize("stage", ["pages", "sketches", "twins", "tokens"])
def test_a_part_that_is_gone_is_made_again(own, finished, stage):
    part_of(own, stage).unlink()
    mended(own, finished)


def test_a_part_that_was_cut_off_is_made_again(own, finished):
    path = part_of(own, "texts")
    path.write_bytes(path.read_bytes()[:100])
    mended(own, finished)


def flip_unnoticed(path: Path) -> None:
    """Flip one bit so that Parquet's readers see other texts and no damage."""
    good, texts = path.read_bytes(), pq.read_table(path)["text"].to_pylist()
    group = pq.ParquetFile(path).metadata.row_group(0)
    column = next(group.column(i) for i in range(group.num_columns) if group.column(i).path_in_schema == "text")
    for at in range(column.data_page_offset + 60, column.data_page_offset + column.total_compressed_size):
        path.write_bytes(good[:at] + bytes([good[at] ^ 1]) + good[at + 1 :])
        try:
            if pq.read_table(path)["text"].to_pylist() != texts:
                return
        except Exception:  # noqa: BLE001  # this bit would be noticed by any reader
            continue
    raise AssertionError("every flip was noticed")


def test_one_flipped_bit_is_noticed_when_the_part_is_read_and_the_part_made_again(own, finished):
    path = part_of(own, "pages")
    flip_unnoticed(path)
    for stage in ("texts", "signals-language", "signals-text"):
        receipt_of(part_of(own, stage)).unlink()
    done = mended(own, finished)
    assert f"pages/{path.name} is damaged" in done.stderr
    assert "resuming (attempt 2 of 3)" in done.stderr


def test_receipts_of_another_form_count_as_none(own, finished):
    """Each form in a stage of its own."""
    for stage, content in zip(PARTS, FORMS, strict=True):
        receipt_of(part_of(own, stage)).write_bytes(content)
        (own / "corpus" / stage / "_receipts.json").unlink(missing_ok=True)
    mended(own, finished)


@pytest.mark.parametrize("first", range(len(FILES)))
def test_files_of_another_form_are_written_anew(own, finished, first):
    """Every file is damaged, each in another form; each file has each form in one of the runs."""
    for number, name in enumerate(FILES):
        (own / "corpus" / name).write_bytes(FORMS[(first + number) % len(FILES)])
    mended(own, finished)


@pytest.mark.parametrize("name", FILES)
def test_one_file_of_another_form_is_written_anew(own, finished, name):
    (own / "corpus" / name).write_bytes(b"{}")
    mended(own, finished)


def test_a_tokenizer_that_is_gone_is_trained_again(own, finished):
    (own / "corpus/tokenizer/tokenizer.json").unlink()
    mended(own, finished)


def test_a_tokenizer_that_was_edited_is_trained_again(own, finished):
    path = own / "corpus/tokenizer/tokenizer.json"
    text = path.read_text()
    path.write_text(text.replace("Ġthe", "Ġhte"))
    corpus = corpusmill.open(own / "corpus")
    row = next(corpus.token_rows())
    with pytest.raises(CorruptPartError, match=r"tokenizer\.json is damaged"):
        corpus.decode(row)
    receipt_of(part_of(own, "tokens")).unlink()
    mended(own, finished)


def test_readers_name_a_damaged_part(own):
    path = part_of(own, "tokens", 0)
    content = path.read_bytes()
    path.write_bytes(content[:200] + bytes([content[200] ^ 1]) + content[201:])
    with pytest.raises(CorruptPartError, match="is damaged"):
        list(corpusmill.open(own / "corpus").token_rows())


def test_stale_tokens_are_an_error_and_never_an_answer(own, tmp_path):
    """A run that ended before tokens: what is there was encoded with an older vocabulary."""
    (own / "in/0new.jsonl").write_text((own / "in/a.jsonl").read_text().replace("the", "quux"))
    supervise.run(own / "recipe.toml", own / "corpus", workers=1, until="tokenizer")
    corpus = corpusmill.open(own / "corpus")
    with pytest.raises(InputError, match=r"tokens parts \d+ are stale and \d+ missing; .* finish it"):
        list(corpus.token_rows())
    code = "import sys; from corpusmill.cli import main; sys.argv[0] = 'corpusmill'; main()"
    train = [sys.executable, "-c", code, "train", str(own / "corpus"), "--steps", "1"]
    done = subprocess.run(train, capture_output=True, text=True)
    assert (done.returncode, "are stale" in done.stderr) == (2, True)
    supervise.run(own / "recipe.toml", own / "corpus", workers=1)
    assert corpus.decode(next(corpus.token_rows()))


def test_pages_whose_duplicates_are_older_than_their_verdicts_are_undecided(own):
    recipe = (own / "recipe.toml").read_text()
    more = '\n[[filters.rules]]\nname = "long"\nsignal = "n_words"\ncomparison = ">"\nthreshold = 300\n'
    (own / "recipe.toml").write_text(recipe + more)
    supervise.run(own / "recipe.toml", own / "corpus", workers=1, until="verdicts")
    with open_catalog(own / "corpus") as catalog:
        outcomes = dict(
            catalog.execute("SELECT coalesce(rule, 'undecided'), count(*) FROM ledger GROUP BY 1").fetchall()
        )
        assert set(outcomes) == {"long", "too_few_words", "undecided"}
        assert catalog.execute("SELECT count(*) FROM ledger WHERE kept").fetchone() == (0,)
        assert catalog.execute("SELECT count(*) FROM docs").fetchone() == (0,)
        stale = "SELECT stage, count(*) FROM receipts WHERE NOT is_current GROUP BY 1 ORDER BY 1"
        assert dict(catalog.execute(stale).fetchall()) == {"twins": 6, "docs": 6, "tokens": 6}
    supervise.run(own / "recipe.toml", own / "corpus", workers=1)
    assert ledger(own) == 120


def test_a_source_that_the_recipe_no_longer_names_is_not_deleted_unasked(own):
    text = (own / "recipe.toml").read_text()
    (own / "recipe.toml").write_text(text.replace('name = "web"', 'name = "other"'))
    with pytest.raises(InputError, match=r"holds parts of source 'web' \(6 slices\).* say --prune"):
        supervise.run(own / "recipe.toml", own / "corpus", workers=1)
    assert len(list((own / "corpus/pages").glob("web-*.parquet"))) == 6
    supervise.run(own / "recipe.toml", own / "corpus", workers=1, prune=True)
    assert {path.name[:5] for path in (own / "corpus/pages").glob("*.parquet")} == {"other"}
    assert ledger(own) == 120


def test_work_of_a_run_that_was_given_up_changes_nothing(own):
    """As on a cluster whose client was killed: the job goes on while another run has the corpus."""
    before = checksums(own / "corpus")
    given_up = Corpus(own / "corpus", token="of the run that was given up")
    receipt = given_up.receipt("docs", part_of(own, "docs").stem)
    for holder in (None, {"token": "of the next run"}):
        if holder is not None:
            (own / "corpus/run.json").write_text(json.dumps(holder))
        with pytest.raises(corpusmill.errors.TakenOverError):
            given_up.put(receipt, b"other content")
    assert checksums(own / "corpus") == before


def verified(project: Path) -> subprocess.CompletedProcess:
    call = [sys.executable, "-m", "corpusmill", "verify", str(project / "corpus")]
    return subprocess.run(call, capture_output=True, text=True, timeout=TIMEOUT_S)


def test_what_is_damaged_is_found_and_made_again(own, finished):
    """A flipped bit changes no size, so a run has no reason to read the file."""
    paths = [part_of(own, "pages"), own / "corpus/tokenizer/tokenizer.json", part_of(own, "tokens")]
    for path in paths:
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 1
        path.write_bytes(content)
    done = verified(own)
    assert done.returncode == 1
    names = [str(path.relative_to(own / "corpus")) for path in paths]
    assert done.stdout.splitlines()[1:] == [f"  damaged  {name}" for name in names]
    assert " 3 of them damaged" in done.stdout
    assert done.stderr.splitlines()[-1].startswith("corpusmill: run the recipe again: it makes the damaged")
    mended(own, finished)
    done = verified(own)
    assert done.returncode == 0, done.stderr
    assert "none of them damaged" in done.stdout


def test_only_a_corpus_that_no_run_holds_is_verified(own, tmp_path):
    with Corpus(own / "corpus").lock():
        done = verified(own)
    assert done.returncode == 2
    assert "another run holds this corpus" in done.stderr
    done = verified(tmp_path / "nowhere")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert not (tmp_path / "nowhere").exists()


@pytest.mark.parametrize("stage", ["pages", "sketches", "docs", "tokens"])
@pytest.mark.parametrize(
    "damage",
    [
        lambda part: part.unlink(),
        lambda part: part.write_bytes(b""),
        lambda part: part.write_bytes(part.read_bytes()[:-10]),
        lambda part: receipt_of(part).unlink(),
        lambda part: receipt_of(part).write_text("{}"),
    ],
)
def test_what_is_missing_or_cut_off_is_named(own, finished, stage, damage):
    part = part_of(own, stage)
    damage(part)
    done = verified(own)
    assert done.returncode == 1
    (line,) = done.stdout.splitlines()[1:]
    assert f"{stage}/{part.stem}" in line


def test_whole_stages_that_are_missing_are_named_unless_they_were_not_made_yet(own, tmp_path):
    shutil.rmtree(own / "corpus/vocabulary")
    shutil.rmtree(own / "corpus/tokens")
    assert verified(own).returncode == 0  # as after --until tokenizer
    (own / "corpus/tokenizer/_receipts/tokenizer.json").unlink()
    shutil.rmtree(own / "corpus/docs")
    assert verified(own).returncode == 0
    shutil.rmtree(own / "corpus/verdicts")
    done = verified(own)
    assert done.returncode == 1
    assert [line[:19] for line in done.stdout.splitlines()[1:]] == ["  missing  verdicts"] * 6


def test_a_corpus_that_does_not_say_what_it_holds_is_not_whole(own, finished):
    (own / "corpus/tables.json").write_text("[1]")
    done = verified(own)
    assert done.returncode == 1
    assert "tables.json is missing or damaged; run the recipe again" in done.stderr
    mended(own, finished)
    assert verified(own).returncode == 0
