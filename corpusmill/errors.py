"""All errors, as one small tree.

    CorpusmillError
    ├── InputError        the user's recipe, input or argument is wrong        (exit code 2)
    ├── RunError          the run failed: full disk, lost worker, lost record   (exit code 1)
    │   ├── BalanceError  row counts do not match: a record was lost or added
    │   ├── CorruptPartError  a file of the corpus does not match its receipt
    │   └── TakenOverError  another run has taken over the corpus
    └── InterruptedRunError  a signal ended the run                             (exit code 130)

Every message is one sentence that says what is wrong, where, and what to do about it.  No message contains the
credentials of a URL (`credentials.py`).  Only our own mistakes give a traceback: these are assertions, and end with
exit code 1.
"""

from corpusmill.credentials import masked


class CorpusmillError(Exception):
    """Base of every error that corpusmill raises intentionally."""

    def __init__(self, message: str = "") -> None:
        """The message is stored with the credentials of its URLs masked."""
        super().__init__(masked(message))


class InputError(CorpusmillError):
    """The user's recipe, file or argument is wrong."""


class RunError(CorpusmillError):
    """The run could not continue; the same command resumes it."""


class BalanceError(RunError):
    """Rows in are not rows kept plus rows dropped."""


class CorruptPartError(RunError):
    """A file of the corpus does not match its receipt: it was changed, cut off or deleted."""


class TakenOverError(RunError):
    """Another run has taken over the corpus, so this run may not publish."""


class InterruptedRunError(CorpusmillError):
    """A signal ended the run; the same command resumes it."""


def is_of_the_system(error: Exception) -> bool:
    """Whether the disk or the network failed: such errors have a number, and Arrow's for damaged bytes have none."""
    return isinstance(error, OSError) and error.errno is not None


def said(error: BaseException) -> str:
    """Type and message of any error, even if its message cannot be made."""
    try:
        return f"{type(error).__name__}: {error}"
    except Exception:  # noqa: BLE001  # making the message failed
        return type(error).__name__


def named(name: str) -> type[CorpusmillError]:
    """The error class with that name; RunError if there is none."""
    found = globals().get(name)
    return found if isinstance(found, type) and issubclass(found, CorpusmillError) else RunError
