"""Trees of source code: language by file, licence by file and repository."""

import json

import pytest

from corpusmill.collect.code import licence_of
from corpusmill.collect.identity import inputs_of, same_content
from corpusmill.collect.languages import language_of
from corpusmill.collect.plan import plan
from corpusmill.collect.reader import read_slice
from corpusmill.collect.settings import RunSettings
from corpusmill.reasons import Status
from tests.collect.sources import a_source

MIT = (
    "MIT License\n\nPermission is hereby granted, free of charge, to any person obtaining a copy of this software ...\n"
    "The above copyright notice and this permission notice shall be included in all copies.\n"
)
FILES = {
    "one/LICENSE": MIT,
    "one/src/a.py": "print('a')\n",
    "one/src/b.rs": "// SPDX-License-Identifier: Apache-2.0 OR MIT\nfn main() {}\n",
    "one/vendor/COPYING": "GNU GENERAL PUBLIC LICENSE\n  Version 3, 29 June 2007\n",
    "one/vendor/c.c": "int x;\n",
    "two/LICENSE.txt": "All rights reserved.\n",
    "two/Makefile": "all:\n",
    "three/d.go": "package d\n",
    "three/notes.xyz": "no code",
}


def planned(folder, **keys):
    source = a_source(name="s", kind="code", paths=["in"])
    return source, plan([source], RunSettings(**keys), folder=folder, corpus=folder / "corpus")


@pytest.fixture
def tree(tmp_path):
    for name, text in FILES.items():
        (tmp_path / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "in" / name).write_text(text)
    return tmp_path


def test_languages_and_licences(tree):
    source, slices = planned(tree)
    records = {r.origin_path: r for piece in slices for r in read_slice(piece, source)}
    assert {name: (r.metadata.get("programming_language"), r.licence) for name, r in records.items()} == {
        "one/src/a.py": ("Python", "MIT"), "one/src/b.rs": ("Rust", "Apache-2.0 OR MIT"),
        "one/vendor/c.c": ("C", "GPL-3.0-only"), "two/Makefile": ("Makefile", None), "three/d.go": ("Go", None),
    }  # fmt: skip
    assert records["one/src/a.py"].metadata["repository"] == "one"
    assert records["two/Makefile"].metadata["licence_file"] == "two/LICENSE.txt"
    assert "licence_file" not in records["three/d.go"].metadata
    assert records["one/src/a.py"].body == b"print('a')\n"


def a_cell(kind, source, **more):
    return {"cell_type": kind, "metadata": {}, "source": source, **more}


def code_of(folder, name, content):
    (folder / "in").mkdir(exist_ok=True)
    (folder / "in" / name).write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    source, (piece,) = planned(folder)
    return next(r for r in read_slice(piece, source) if r.origin_path == name)


def test_a_notebook_is_its_markdown_and_its_code(tmp_path):
    book = {
        "nbformat": 4, "nbformat_minor": 5,
        "metadata": {"kernelspec": {"name": "python3", "language": "python"}, "language_info": {"name": "python"}},
        "cells": [
            a_cell("markdown", ["# Mills\n", "They *grind*."]),
            a_cell("code", ["# SPDX-License-Identifier: MIT\n", "print('flour')\n"], execution_count=1,
                   outputs=[{"output_type": "display_data", "data": {"image/png": "A" * 3000}}]),
            a_cell("code", ""), a_cell("raw", "\\newpage"), a_cell("markdown", "The `end` 🌾"), {"cell_type": "code"},
            a_cell("code", 'text = """\n```\n"""'),
        ],
    }  # fmt: skip
    record = code_of(tmp_path, "a.ipynb", book)
    assert record.text == (
        "# Mills\nThey *grind*.\n\n```python\n# SPDX-License-Identifier: MIT\nprint('flour')\n```\n\nThe `end` 🌾\n\n"
        '````python\ntext = """\n```\n"""\n````'
    )
    assert (record.status, record.licence, record.n_bytes) == (Status.OK, "MIT", len(record.text.encode()))
    assert record.metadata == {
        "programming_language": "Python", "raw_cells_left_out": 1, "unreadable_cells": 1, "repository": "a.ipynb",
    }  # fmt: skip


def test_notebooks_of_other_kernels_and_versions(tmp_path):
    old = {
        "nbformat": 3, "metadata": {"name": "x"},
        "worksheets": [{"cells": [
            {"cell_type": "heading", "level": 2, "source": ["Old"]},
            {"cell_type": "code", "language": "julia", "input": ["f(x) = x"], "outputs": []},
        ]}],
    }  # fmt: skip
    record = code_of(tmp_path, "old.ipynb", old)
    assert record.text == "## Old\n\n```julia\nf(x) = x\n```"
    assert record.metadata["programming_language"] == "Julia"
    for metadata, language, fence in (
        ({"kernelspec": {"language": "R"}}, "R", "```r"),
        ({"language_info": {"name": "my own"}}, "my own", "```my own"),
        ({}, "Jupyter Notebook", "```"),
        ([], "Jupyter Notebook", "```"),
    ):
        record = code_of(tmp_path, "b.ipynb", {"cells": [a_cell("code", "x")], "metadata": metadata})
        assert (record.metadata["programming_language"], record.text) == (language, f"{fence}\nx\n```")
    empty = code_of(tmp_path, "c.ipynb", {"cells": [], "metadata": {}, "nbformat": 4})
    assert empty.status is Status.NO_MAIN_CONTENT


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (b"", "the file is empty"),
        (b'{"cells": [', "the notebook is no JSON, or damaged"),
        (b"\xff\xfe{", "the notebook is no JSON, or damaged"),
        (b"[" * 100_000, "the notebook is no JSON, or damaged"),
        (b"[]", "it is no notebook: it has no cells"),
        (b'{"cells": 7}', "it is no notebook: it has no cells"),
    ],
)
def test_a_broken_notebook_is_a_row(tmp_path, content, error):
    record = code_of(tmp_path, "a.ipynb", content)
    assert (record.status, record.metadata["error"]) == (Status.BROKEN_RECORD, error)


def test_a_changed_licence_changes_the_slices_below_it(tree):
    for i in range(40):
        (tree / f"in/one/src/{i}.py").write_text("x = 1\n" * 200)
    source, slices = planned(tree, slice_bytes=8192)
    assert len(slices) > 4
    made = {}
    for piece in slices:
        reader = read_slice(piece, source)
        assert list(reader)
        made[piece.name] = inputs_of(piece, reader.reading.trace)
    (tree / "in/one/LICENSE").write_text("changed")
    _, after = planned(tree, slice_bytes=8192)
    changed = {piece.name for piece in after if not same_content(piece, made[piece.name])}
    below = {p.name for p in slices if any(f.startswith("one/") for f in p.files)}
    assert changed == below


def test_damaged_and_empty_files(tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in/a.py").write_bytes(b"")
    (tmp_path / "in/b.py").symlink_to("/etc/hostname")
    source, slices = planned(tmp_path)
    records = [record for piece in slices for record in read_slice(piece, source)]
    assert [(r.status, r.body) for r in records] == [(Status.OK, b""), (Status.BROKEN_RECORD, None)]


@pytest.mark.parametrize(
    ("text", "licence"),
    [
        (MIT, "MIT"),
        ("Apache License\nVersion 2.0, January 2004", "Apache-2.0"),
        ("GNU LESSER GENERAL PUBLIC LICENSE\nVersion 2.1, February 1999", "LGPL-2.1-only"),
        ("Redistribution and use in source and binary forms ... Neither the name of", "BSD-3-Clause"),
        ("Redistribution and use in source and binary forms", "BSD-2-Clause"),
        ("CC0 1.0 Universal", "CC0-1.0"),
        ("SPDX-License-Identifier: EUPL-1.2\n", "EUPL-1.2"),
        ("All rights reserved", None),
        ("", None),
    ],
)
def test_licences_by_their_texts(text, licence):
    assert licence_of(text.encode()) == licence


def test_languages_by_names():
    assert [language_of(name) for name in ("a/B.PY", "Dockerfile", "x.H", "a.b/c", "py")] == [
        "Python", "Dockerfile", "C", None, None,
    ]  # fmt: skip
