"""The prose of Python sources: docstrings and comments, in paragraphs."""

import ast
import io
import re
import tokenize
from collections.abc import Iterator

DIRECTIVE = re.compile(r"#\s*(?:noqa|type:|fmt:|pragma|mypy:|ruff:)|#!")


def prose(source: str) -> Iterator[tuple[int, str]]:
    """Line number and text of each paragraph of a docstring, and of each run of comment lines."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            docstring = ast.get_docstring(node)
            if docstring:
                yield from _paragraphs(docstring, node.body[0].lineno)
    yield from _comments(source)


def _paragraphs(docstring: str, line: int) -> Iterator[tuple[int, str]]:
    for block in re.split(r"\n\s*\n", re.sub(r"`[^`]*`", "code", docstring)):
        if not all(each.startswith("    ") for each in block.splitlines()):
            yield line, " ".join(block.split())


def _comments(source: str) -> Iterator[tuple[int, str]]:
    run: list[str] = []
    start = previous = -1
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type != tokenize.COMMENT or DIRECTIVE.match(token.string):
            continue
        line, alone = token.start[0], token.line.lstrip().startswith("#")
        if run and not (alone and line == previous + 1):
            yield start, " ".join(run)
            run = []
        if not run:
            start = line
        run.append(re.sub(r"`[^`]*`", "code", token.string.lstrip("#: ")))
        previous = line
    if run:
        yield start, " ".join(run)
