"""The command line: parse arguments, call a function, print.  Each command imports the heavy modules that it needs.

`app` is the root, `answers` prints; the other modules have the commands, in the order in which `--help` lists them.
"""

import sys

from corpusmill.cli import (  # isort: skip  # noqa: F401  # the order of `--help`
    build,
    inspect,
    remove,
    mixing,
    training,
    evaluating,
    ablations,
    finetuning,
    vectors,
    deploying,
    classifiers,
    dedup,
)
from corpusmill.cli.app import app
from corpusmill.errors import CorpusmillError, InputError, InterruptedRunError
from corpusmill.terminal import fitted, one_line, write_any_sign

__all__ = ["app", "main"]


def main() -> None:
    """Run the command of the arguments.  An error of ours becomes one sentence and an exit code (see `__main__`)."""
    write_any_sign()
    try:
        app()
    except InputError as error:
        _fail(error, 2)
    except InterruptedRunError as error:
        _fail(error, 130)
    except CorpusmillError as error:
        _fail(error, 1)
    except KeyboardInterrupt:
        _fail("interrupted", 130)
    except BrokenPipeError:  # the reader of our output has ended: `corpusmill sql ... | head`
        sys.stderr.close()
        sys.exit(1)
    except OSError as error:  # for example, a disk that fails, or a read-only file system
        _fail(f"{f'{error.filename}: ' if error.filename else ''}{error.strerror or error}", 1)


def _fail(error: Exception | str, code: int) -> None:
    from corpusmill.credentials import masked
    from corpusmill.filters.personal import mask_text

    words = one_line(masked(mask_text(str(error))))  # the message may quote a page
    print(fitted(f"corpusmill: {words}", sys.stderr), file=sys.stderr)
    sys.exit(code)
