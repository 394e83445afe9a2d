"""A planted bad source costs what `ablate` says: from files to the answer, with a kill in between."""

import contextlib
import json
import random
import re
import shlex

import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

import corpusmill
from corpusmill.ablate import settings as ablations
from corpusmill.ablate.compare import compare
from corpusmill.ablate.experiment import Experiment
from corpusmill.ablate.scaling import scaling
from corpusmill.ablate.search import search
from corpusmill.ablate.settings import Size
from corpusmill.cli import app
from corpusmill.errors import InputError, RunError
from corpusmill.train.document_losses import document_losses
from corpusmill.train.run import train
from corpusmill.train.trained import load
from examples.planted import BAD_SHARE, shuffled
from tests.docs.markdown import blocks, page, write_file
from tests.pipelines.conftest import checksums, paragraph, write_jsonl
from tests.train.conftest import KilledError

N = 400
PAGE = page("docs/ablations.md")
SMALLER = (  # what the page says -> what is tried here
    ("seeds = [1, 2, 3, 4, 5]", "seeds = [1, 2, 3, 4, 5]\nevaluate_every = 15"),
    ("seeds = [1, 2, 3]\nlonger = 1\n", "seeds = [1, 2, 3]\nlonger = 2\nevaluate_every = 15\n"),
    ("seeds = [1, 2]\nlonger = 1\n", "seeds = [1, 2]\nlonger = 1\nevaluate_every = 10\n"),
    ("vocab_size = 1024", "vocab_size = 400"),
    ("row_length = 128\nrows_per_step = 8\nsteps = 100", "row_length = 64\nrows_per_step = 4\nsteps = 30"),
    ("row_length = 128\nrows_per_step = 8\nsteps = 50", "row_length = 64\nrows_per_step = 4\nsteps = 30"),
    ("row_length = 128\nrows_per_step = 4\nsteps = 200", "row_length = 64\nrows_per_step = 4\nsteps = 30"),
    ("layers = 2\nwidth = 64\nheads = 2", "layers = 1\nwidth = 32\nheads = 1"),
    ("heads = 2\nkv_heads = 1\n\n[train.optimizer]", "heads = 1\nkv_heads = 1\n\n[train.optimizer]"),
    ("learning_rate = 0.01\nmatrix_learning_rate = 0.03", "learning_rate = 0.02\nmatrix_learning_rate = 0.05"),
    ("documents = 80", "documents = 100"),
    ("documents = 40", "documents = 100"),
    ("max_chars = 2000\n", ""),
    ("runs = 14\nrounds = 2", "runs = 9\nrounds = 1"),
    ("low = 0.02\nhigh = 2.0\nlog = true", "choices = [0.02, 3.0]"),
    ("  { layers = 2, width = 96 },\n  { layers = 3, width = 128 },\n", "  { layers = 2, width = 64 },\n"),
    ("predict =", "from_share = 0.3\nresamples = 20\npredict ="),
)
COMMANDS = [line for block in blocks(PAGE, "console") for line in block.text.splitlines()]


def smaller(text):
    for old, new in SMALLER:
        text = text.replace(old, new)
    return text


def texts(n, seed):
    draw = random.Random(seed)
    return ["\n\n".join(paragraph(draw) for _ in range(2)) for _ in range(n)]


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """Files with 5 % of the documents shuffled, the corpus of both sources, an ablation that was killed."""
    folder = tmp_path_factory.mktemp("project")
    good, n_bad = texts(N, 1), round(BAD_SHARE * N)
    write_jsonl(folder / "good.jsonl", [{"text": text} for text in good[n_bad:]])
    write_jsonl(folder / "bad.jsonl", [{"text": shuffled(text, i)} for i, text in enumerate(good[:n_bad])])
    write_jsonl(folder / "held-out.jsonl", [{"text": text} for text in [*texts(12, 2), good[-1]]])
    for old, _ in SMALLER:
        assert old in PAGE or old in smaller(PAGE), old
    for block in blocks(smaller(PAGE), "toml"):
        write_file(block, folder)
    corpusmill.run(folder / "recipe.toml", folder / "mine", workers=1)
    return folder


def experiment(project, name="bad-source", show=lambda title, report: None):
    config = project / f"{name}.toml"
    return Experiment(ablations.load(config), config, project / "mine", "bad-source", workers=1, show=show)


def run_here(project, command):
    """The output of a command of the page, run in this process and in the project's folder."""
    program, *words = shlex.split(command)
    assert program == "corpusmill"
    with contextlib.chdir(project):
        return CliRunner().invoke(app, words, catch_exceptions=False).stdout


@pytest.fixture(scope="module")
def answered(project):
    """The answer as JSON, after an ablation that was killed in its second training."""

    def kill(title, report):
        if report is not None and "(run 2 of 10)" in title and report.step == 22:
            raise KilledError

    before = checksums(project / "mine")
    with pytest.raises(KilledError):
        compare(experiment(project, show=kill))
    printed = run_here(project, "corpusmill ablate compare mine --config bad-source.toml --json")
    assert checksums(project / "mine") == before
    return json.loads(printed)


def test_the_bad_source_costs_something_and_the_interval_says_so(answered):
    (found,) = answered["differences"]
    assert (found["variant"], found["slower"], answered["seeds"]) == ("without", "base", [1, 2, 3, 4, 5])
    assert found["difference"]["high"] < 0
    assert found["multiplier"]["low"] > 1
    by_name = {each["data"]["variant"]: each for each in answered["variants"]}
    gap = by_name["without"]["bits_per_byte"] - by_name["base"]["bits_per_byte"]
    assert found["difference"]["estimate"] == pytest.approx(gap)
    assert by_name["base"]["data"]["documents"] - by_name["without"]["data"]["documents"] > 0


def test_a_document_that_was_trained_on_is_left_out(answered):
    assert answered["documents"] == 12
    assert answered["left_out"] == {"overlap with training documents of base": 1}


def test_a_training_that_was_killed_ends_with_the_same_losses(project, answered, tmp_path):
    corpus, mine = project / "mine/ablations/bad-source/corpora/base", experiment(project)
    model = train(corpus, mine.settings.training(2), tmp_path / "m", device="cpu").model
    trained = load(model)
    expected = document_losses(trained, [trained.encode(each.text) for each in mine.held_out.documents])
    losses = pq.read_table(corpus / "models/seed-2/losses/00000060.parquet")["nats"].to_pylist()
    assert losses == expected.tolist()
    assert len(list((corpus / "models/seed-2/losses").iterdir())) == 4


def test_the_same_command_again_trains_nothing_and_prints_what_the_page_shows(project, answered):
    models = list((project / "mine").rglob("model.safetensors"))
    before = [path.stat().st_mtime_ns for path in models]
    printed = run_here(project, COMMANDS[1])
    assert [path.stat().st_mtime_ns for path in models] == before
    assert len(models) == 10
    shown = next(block.text for block in blocks(PAGE, "text") if block.text.startswith("held out: 98"))
    assert shape(printed.partition("\npage: ")[0]) == shape(shown)
    estimate = answered["differences"][0]["difference"]["estimate"]
    assert f"without  {estimate:+.4f}  " in printed


def shape(text):
    """The words of an answer, without figures, which differ from machine to machine, and without spaces."""
    return re.sub(r"[-+]?[\d,.]+", "#", " ".join(text.split()))


def test_the_page_runs_these_commands():
    """The first is run by the fixture, from Python; the others by tests."""
    assert COMMANDS[:2] == [
        "corpusmill run recipe.toml --corpus mine",
        "corpusmill ablate compare mine --config bad-source.toml",
    ]
    assert COMMANDS[3:] == [
        "corpusmill ablate search mine --config weights.toml",
        "corpusmill ablate scaling mine --config sizes.toml",
    ]


def test_pages_are_shared_and_only_what_differs_is_made(project, answered):
    base, without = (project / "mine/ablations/bad-source/corpora" / name for name in ("base", "without"))
    (part,) = [path.name for path in (without / "pages").glob("*.parquet")]
    assert (base / "pages" / part).samefile(without / "pages" / part)
    assert (base / "tokenizer/tokenizer.json").read_bytes() == (without / "tokenizer/tokenizer.json").read_bytes()


def test_the_catalog_gives_the_same_difference(project, answered):
    opened = corpusmill.open(project / "mine")
    query = """
        WITH used AS (FROM ablation_documents WHERE question = 'compare' AND left_out IS NULL),
        bits AS (SELECT variant, sum(nats) / ln(2) / sum(n_bytes) AS bits FROM ablation_losses JOIN used USING (doc_id)
                 WHERE tokens = 30 * 256 AND model LIKE 'seed-%' GROUP BY variant)
        SELECT (SELECT bits FROM bits WHERE variant = 'without') - (SELECT bits FROM bits WHERE variant = 'base')"""
    ((difference,),) = opened.sql(query).fetchall()
    estimate = answered["differences"][0]["difference"]["estimate"]
    assert difference == pytest.approx(estimate)
    rows = opened.sql("SELECT difference, high < 0 FROM ablation_differences WHERE question = 'compare'").fetchall()
    assert rows == [(estimate, True)]


def test_the_query_of_the_page_finds_documents(project, answered):
    printed = run_here(project, COMMANDS[2].replace("102400", str(30 * 256)) + " --format csv")
    assert len(printed.splitlines()) == 1 + 5


def test_the_page_shows_the_interval_and_loads_nothing(project, answered):
    page = (project / "mine/ablations/bad-source/compare.html").read_text("utf-8")
    found = answered["differences"][0]["difference"]
    assert f"{found['estimate']:+.4f} ({found['low']:+.4f} to {found['high']:+.4f})" in page
    assert "polyline" in page
    assert "<script" not in page


def test_other_held_out_documents_are_refused(project, answered):
    mine = experiment(project)
    mine.settings = mine.settings.model_copy(
        update={"held_out": mine.settings.held_out.model_copy(update={"max_chars": 50})}
    )
    with pytest.raises(InputError, match="was measured on other held-out documents; choose another --out"):
        compare(mine)


def test_other_settings_are_refused(project, answered):
    mine = experiment(project)
    train = mine.settings.train.model_copy(update={"steps": 45})
    mine.settings = mine.settings.model_copy(update={"train": train})
    with pytest.raises(InputError, match="holds a model of other tokens or settings"):
        compare(mine)


def test_a_search_recommends_what_it_confirmed(project, answered):
    found = search(experiment(project, "weights"))
    assert found.runs == 2 + 1 + 2 * 3  # trials, the base recipe, the confirmation
    assert sorted(each.changes["sources.bad.weight"] for each in found.trials) == [0.02, 3.0]
    best = found.trials[0]
    assert (best.chosen, best.changes) == (True, {"sources.bad.weight": 0.02})
    assert [each.difference for each in found.trials] == pytest.approx(searched(project, found.trials))
    whole = found.confirmation.differences[0].difference
    assert (found.recommendation, whole.high < 0) == ("change", True)
    assert found.confirmation.seeds == [1, 2, 3]
    assert found.confirmation.left_out["in the other half"] + found.confirmation.documents == 12
    weights = json.loads((project / f"mine/ablations/bad-source/corpora/{best.name}/mix.json").read_text())
    assert weights["weights"] == {"good": 1.0, "bad": 0.02}


def searched(project, trials):
    """The differences of trials on the half that the search saw, from the catalog."""
    query = """
        SELECT variant, sum(nats) / ln(2) / sum(n_bytes) FROM ablation_losses
        JOIN (FROM ablation_documents WHERE question = 'search' AND half = 'search') USING (doc_id)
        WHERE model = 'search-4' AND tokens = 30 * 256 GROUP BY variant"""
    bits = dict(corpusmill.open(project / "mine").sql(query).fetchall())
    return [bits[each.name] - bits["base"] for each in trials]


def test_a_scaling_law_over_three_sizes(project, answered):
    found = scaling(experiment(project, "sizes"))
    assert [each.parameters for each in found.sizes] == sorted(each.parameters for each in found.sizes)
    assert found.worst_error < 0.1
    (prediction,) = found.predictions
    assert prediction.loss.low <= prediction.loss.high
    rows = corpusmill.open(project / "mine").sql("SELECT quantity FROM ablation_scaling").fetchall()
    assert [row[0] for row in rows] == ["E", "A", "alpha", "B", "beta", "prediction"]


def test_a_size_that_cannot_be_is_one_sentence(project):
    mine = experiment(project, "sizes")
    sizes = [Size(layers=1, width=width) for width in (32, 48, 16)]
    mine.settings = mine.settings.model_copy(
        update={"scaling": mine.settings.scaling.model_copy(update={"sizes": sizes})}
    )
    with pytest.raises(InputError, match=r"layers-1-width-16: width: input should be greater"):
        scaling(mine)


def test_an_ablation_without_variants_says_what_is_missing(project):
    mine = experiment(project)
    mine.settings = mine.settings.model_copy(update={"variants": []})
    with pytest.raises(InputError, match=r"has no \[\[variants\]\]"):
        compare(mine)


def test_a_folder_without_a_corpus_is_one_sentence(project, tmp_path):
    with pytest.raises(InputError, match="make it with 'corpusmill run'"):
        run_here(project, f"corpusmill ablate compare {tmp_path} --config bad-source.toml")


def test_damaged_losses_are_one_sentence(project, answered):
    losses = project / "mine/ablations/bad-source/corpora/base/models/seed-1/losses/00000030.parquet"
    content = losses.read_bytes()
    for damaged in (content[:100], None):
        losses.unlink()
        if damaged is not None:
            losses.write_bytes(damaged)
        with pytest.raises(RunError, match="is missing or damaged; delete"):
            compare(experiment(project))
    losses.write_bytes(content)
