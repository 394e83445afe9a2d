"""The recipe: defaults, errors in one sentence, and the resolved form."""

import sys
import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpusmill import recipe
from corpusmill.errors import InputError
from corpusmill.extensions import REGISTRY, UserModule, edit, registered_by

MINIMAL = {"sources": [{"name": "news", "kind": "warc", "paths": ["crawl/*.warc.gz"]}]}


def error_of(data) -> str:
    with pytest.raises(InputError) as caught:
        recipe.parse(data, where="my.toml")
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_sources_alone_are_a_recipe():
    parsed = recipe.parse(MINIMAL)
    assert (parsed.dedup.bands, parsed.dedup.rows, parsed.dedup.threshold) == (14, 8, 0.75)


def test_the_resolved_recipe_is_the_same_recipe():
    data = MINIMAL | {"filters": {"rules": [{"name": "long", "sql": "n_words > 9 AND language = 'zh'"}]}}
    parsed = recipe.parse(data)
    again = recipe.parse(tomllib.loads(recipe.dump(parsed)))
    assert again == parsed
    assert "vocab_size = 32768" in recipe.dump(parsed)


def crawl(**settings):
    return {"sources": [{"name": "a", "kind": "crawl", "crawl": {"seeds": ["https://a.example"], **settings}}]}


@given(st.text(), st.sets(st.text(min_size=1), max_size=3))
def test_any_text_survives_the_resolved_form(text, hosts):
    crawl = {"seeds": ["https://h/" + text], "user_agent": text, "connect_to": dict.fromkeys(hosts, "[::1]:80")}
    source = {"name": "web", "kind": "crawl", "licence": text, "crawl": crawl}
    parsed = recipe.parse({"sources": [source]})
    assert recipe.parse(tomllib.loads(recipe.dump(parsed))) == parsed


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"sorces": []}, "unknown key 'sorces'; did you mean 'sources'? allowed here: modules, sources"),
        ({"dedup": {"treshold": 0.5}}, "unknown key 'dedup.treshold'; did you mean 'threshold'?"),
        ({"dedup": {"threshold": 3}}, "dedup.threshold: input should be less than or equal to 1"),
        ({"filters": {"profile": "none"}}, "filters: 'profile' is a list now: write profiles = [\"none\"] instead"),
        ({"filters": {"profile": ["a", "b"]}}, '\'profile\' is a list now: write profiles = ["a", "b"] instead'),
        ({"sources": []}, "sources: list should have at least 1 item"),
        ({"sources": MINIMAL["sources"] * 2}, "two sources are named 'news'"),
        ({"sources": [{"name": "a", "kind": "wrac", "paths": ["x"]}]}, "unknown kind 'wrac'; allowed: warc, wet"),
        ({"sources": [{"name": "a", "kind": "warc"}]}, "a source of kind 'warc' needs paths"),
        ({"sources": [{"kind": "warc", "paths": ["x"]}]}, "sources.0: key 'name' is missing"),
        (
            {"sources": [{"name": "a", "kind": "warc", "pths": ["x"]}]},
            "source 'a': unknown key 'pths'; did you mean 'paths'",
        ),
        ({"sources": [{"name": "a", "kind": "crawl"}]}, "source 'a': key 'crawl' is missing"),
        (crawl(seeds=["example.org"]), "'example.org' is not a URL to start from; write it as https://host/path"),
        (crawl(hosts=["https://example.org/"]), "is not a host; write it as example.org or *.example.org"),
        (crawl(connect_to={"a": "localhost:80"}), "'localhost:80' is not an address and a port, such as 127.0.0.1:"),
        (crawl(connect_to={"a": "127.0.0.1:0"}), "'127.0.0.1:0' is not an address and a port"),
        (
            {"filters": {"rules": [{"name": "x", "signal": "n_words"}]}},
            "rule 'x' needs signal, comparison and threshold",
        ),
        ({"modules": ["missing.py"]}, "cannot read module 'missing.py'"),
        ({"modules": ["no_such_package"]}, "cannot import module 'no_such_package'"),
    ],
)
def test_what_is_wrong_is_one_sentence(change, expected):
    assert expected in error_of(MINIMAL | change)


def test_a_file_that_is_missing_or_no_toml(tmp_path):
    with pytest.raises(InputError, match="there is no such recipe"):
        recipe.load(tmp_path / "none.toml")
    (tmp_path / "bad.toml").write_text("[[sources\n")
    with pytest.raises(InputError, match="not valid TOML"):
        recipe.load(tmp_path / "bad.toml")
    (tmp_path / "bytes.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(InputError, match="cannot be read"):
        recipe.load(tmp_path / "bytes.toml")


def test_a_module_beside_the_recipe_may_add_a_kind(tmp_path):
    (tmp_path / "mine.py").write_text(
        "from corpusmill import source\n@source('mine')\ndef read(path, options): yield {}\n"
    )
    (tmp_path / "r.toml").write_text('modules = ["mine.py"]\n[[sources]]\nname = "a"\nkind = "mine"\npaths = ["x"]\n')
    assert recipe.load(tmp_path / "r.toml").sources[0].kind == "mine"


def test_a_module_that_fails_says_where(tmp_path):
    (tmp_path / "mine.py").write_text("1 / 0\n")
    (tmp_path / "r.toml").write_text('modules = ["mine.py"]\nsources = []\n')
    with pytest.raises(InputError, match=r"module 'mine.py' fails to load: ZeroDivisionError"):
        recipe.load(tmp_path / "r.toml")


def test_a_modules_signals_are_its_own_and_its_newest(tmp_path):
    text = (
        "import pyarrow as pa\nfrom corpusmill import signal\n@signal('mine', pa.float64(), '{}')\ndef f(pages): ...\n"
    )
    (tmp_path / "mine.py").write_text(text.format("first"))
    first = UserModule.find("mine.py", tmp_path)
    (tmp_path / "mine.py").write_text(text.format("second"))
    second = UserModule.find("mine.py", tmp_path)
    for module in (first, second, first):
        module.load()
        assert [own.signals["mine"].description for _, own in registered_by([module])] == [
            REGISTRY.signals["mine"].description
        ]
    assert REGISTRY.signals["mine"].description == "first"


MODULE = """
import functools
import pyarrow as pa
from corpusmill import edit, signal
from helpers import plain
signal("{signal}", pa.float64(), "a partial function, which has no name")(functools.partial(plain, 1))
edit("{edit}", "another module's function")(plain)
"""


@pytest.fixture
def modules(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "helpers", raising=False)
    (tmp_path / "helpers.py").write_text("def plain(*given): return given[-1]\n")

    def make(name, **registered):
        (tmp_path / name).write_text(MODULE.format(**{"signal": "s", "edit": "e"} | registered))
        return UserModule.find(name, tmp_path)

    return make


def names(modules):
    for module in modules:
        module.load()
    return [[(kind, name) for kind, all in own.kinds().items() for name in all] for _, own in registered_by(modules)]


def test_a_module_has_what_it_registers_wherever_the_function_is_from(modules):
    assert names([modules("a.py"), modules("b.py", signal="t", edit="f")]) == [
        [("signal", "s"), ("edit", "e")],
        [("signal", "t"), ("edit", "f")],
    ]


def test_modules_of_one_recipe_share_no_name(modules):
    with pytest.raises(InputError, match=r"'a.py' and 'b.py' both register the edit 'e'; rename one"):
        names([modules("a.py"), modules("b.py", signal="t")])


def test_a_module_registers_a_name_once(modules, tmp_path):
    modules("a.py")
    (tmp_path / "a.py").write_text((tmp_path / "a.py").read_text() + 'edit("e", "again")(plain)\n')
    with pytest.raises(InputError, match="edit 'e' is registered twice"):
        UserModule.find("a.py", tmp_path).load()


@pytest.mark.parametrize("name", ["", "../up", 'a"b', "a b", "é", None])
def test_what_is_no_name_is_refused(modules, name):
    with pytest.raises(InputError, match="is not a valid name; use letters"):
        edit(name, "one")(str)


def test_modules_of_one_package_do_not_register_twice(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "twofold").mkdir()
    (tmp_path / "twofold/__init__.py").write_text("from twofold import edits\n")
    (tmp_path / "twofold/edits.py").write_text("from corpusmill import edit\nedit('once', 'an edit')(str)\n")
    recipes = ["twofold", "twofold.edits"]
    assert names([UserModule.find(name, tmp_path) for name in recipes]) == [[("edit", "once")], []]
    assert names([UserModule.find(name, tmp_path) for name in recipes[::-1]]) == [[("edit", "once")], []]
    assert names([UserModule.find("twofold.edits", tmp_path)]) == [[("edit", "once")]]


def test_a_byte_order_mark_is_no_error(tmp_path):
    (tmp_path / "mine.py").write_bytes(b"\xef\xbb\xbfx = 1\n")
    text = 'modules = ["mine.py"]\n[[sources]]\nname = "a"\nkind = "jsonl"\npaths = ["x"]\n'
    (tmp_path / "r.toml").write_bytes(b"\xef\xbb\xbf" + text.encode())
    assert recipe.load(tmp_path / "r.toml").sources[0].name == "a"


@pytest.mark.parametrize("name", ["../mine.toml", "", "a/b", ".", "a..b", "\udce9"])
def test_what_names_no_module_is_one_sentence(tmp_path, name):
    with pytest.raises(InputError, match=r"is no module: name a file that ends in \.py, or an installed package's"):
        UserModule.find(name, tmp_path)


PROFILE = """
title = "ours"
source = "a paper"
[[rules]]
name = "few"
signal = "n_words"
comparison = "<"
threshold = 5
source = "section 2"
[[rules]]
name = "shop"
sql = "title = 'Shop'"
when = "language = 'en'"
"""


def test_a_profile_in_a_file_becomes_part_of_the_recipe(tmp_path):
    (tmp_path / "ours.toml").write_text(PROFILE)
    (tmp_path / "recipe.toml").write_text(
        "sources = [{ name = 'a', kind = 'text', paths = ['a'] }]\n"
        """[filters]\nprofiles = ["default", { name = "ours.toml", when = "source = 'a'" }]\n"""
    )
    loaded = recipe.load(tmp_path / "recipe.toml")
    default, ours = loaded.filters.profiles
    assert (default.name, default.rules) == ("default", None)
    assert (ours.name, ours.when, [rule.name for rule in ours.rules]) == ("ours", "source = 'a'", ["few", "shop"])
    (tmp_path / "ours.toml").unlink()
    assert recipe.parse(tomllib.loads(recipe.dump(loaded))) == loaded


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("title = 'x'", "has no \\[\\[rules\\]\\], so it is no profile"),
        ("when = 'x'\nrules = []", "'when' is no key of a profile's file"),
        (PROFILE.replace("signal", "signl", 1), "unknown key 'rules.0.signl'; did you mean 'signal'"),
        (PROFILE.replace("shop", "few"), "two rules are named 'few'"),
        ("[[rules]", "not valid TOML"),
    ],
)
def test_a_wrong_profile_is_one_sentence_that_names_the_file(tmp_path, text, says):
    (tmp_path / "ours.toml").write_text(text)
    data = {"sources": [{"name": "a", "kind": "text", "paths": ["a"]}], "filters": {"profiles": ["ours.toml"]}}
    with pytest.raises(InputError, match=f"ours.toml: .*{says}"):
        recipe.parse(data, folder=tmp_path)
    with pytest.raises(InputError, match=r"theirs.toml: there is no such profile"):
        recipe.parse({**data, "filters": {"profiles": ["theirs.toml"]}}, folder=tmp_path)
