"""The command `corpusmill`, also as `python -m corpusmill`.  It does what must come before any heavy import."""

import sys

from corpusmill.bytecode import keep_bytecode
from corpusmill.errors import InterruptedRunError
from corpusmill.interrupts import interruptible
from corpusmill.userfolders import cache_base


def main() -> None:
    """Entry point: exit codes 0 done, 1 the run failed, 2 the user's input is wrong, 130 interrupted."""
    try:
        with interruptible():
            keep_bytecode(cache_base() / "bytecode")
            from corpusmill.cli import main as command

            command()
    except InterruptedRunError as error:
        print(f"corpusmill: {error}", file=sys.stderr)
        sys.exit(130)


if __name__ == "__main__":
    main()
