"""What can go wrong, as one small tree.

    CorpusmillError
    ├── InputError        the user's recipe, input or argument is wrong        (exit code 2)
    ├── RunError          the run failed: full disk, lost worker, lost record   (exit code 1)
    │   ├── BalanceError  the books do not balance: a record was lost or made up
    │   ├── CorruptPartError  a file of the corpus is not what its receipt says
    │   └── TakenOverError  another run has taken over the corpus
    └── InterruptedRunError  a signal ended the run                             (exit code 130)

Every message is one sentence that says what is wrong, where, and what to do about it.  No message holds the
credentials of a URL (`credentials.py`).  A traceback is for our own mistakes, which are assertions and end with exit
code 1.
"""

from corpusmill.credentials import masked


class CorpusmillError(Exception):
    """Base of every error that corpusmill raises on purpose."""

    def __init__(self, message: str = "") -> None:
        """The message is kept without the credentials of the URLs in it."""
        super().__init__(masked(message))


class InputError(CorpusmillError):
    """What the user gave is wrong: a recipe, a file, an argument."""


class RunError(CorpusmillError):
    """The run could not go on; the same command resumes it."""


class BalanceError(RunError):
    """Rows in are not rows kept plus rows dropped."""


class CorruptPartError(RunError):
    """A file of the corpus is not what its receipt says: it was changed, cut off, or is gone."""


class TakenOverError(RunError):
    """Another run has taken over the corpus; what this one would publish is refused."""


class InterruptedRunError(CorpusmillError):
    """A signal ended the run; the same command resumes it."""


def is_of_the_system(error: Exception) -> bool:
    """Whether the disk or the network has failed: that has a number; what Arrow raises for damaged bytes has none."""
    return isinstance(error, OSError) and error.errno is not None


def said(error: BaseException) -> str:
    """Type and message of anybody's error, which may be unable to say it."""
    try:
        return f"{type(error).__name__}: {error}"
    except Exception:  # noqa: BLE001  # of the message itself
        return type(error).__name__


def named(name: str) -> type[CorpusmillError]:
    """The class of that name; RunError if there is none."""
    found = globals().get(name)
    return found if isinstance(found, type) and issubclass(found, CorpusmillError) else RunError
