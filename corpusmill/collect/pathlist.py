"""Lists of files, one per line, as Common Crawl publishes them: `warc.paths.gz`, `wet.paths.gz`, `wat.paths.gz`."""

import glob
import re
from pathlib import Path

from corpusmill.collect.files import UNREADABLE, Trace, open_binary
from corpusmill.collect.lines import inflated
from corpusmill.collect.records import DamageError
from corpusmill.collect.remote import joined, resolved
from corpusmill.errors import InputError
from corpusmill.store import is_url

MOST_BYTES = 1 << 28


def files_of(path: str, base: str, folder: Path, where: str) -> list[str]:
    """The files that a list names, as patterns that match nothing else; blank lines are left out.

    base: folder or URL that they are relative to
    folder: the recipe's, to which a relative path or base is relative

    InputError if the list cannot be read, is empty, or names a file that is not below the base.
    """
    url = resolved(path, folder) if is_url(path) else str(folder.absolute() / Path(path).expanduser())
    root, _, name = url.rpartition("/")
    try:
        with open_binary(root, name, Trace()) as file, inflated(file, name) as lines:
            content = lines.read(MOST_BYTES)
    except UNREADABLE as error:
        reason = error.strerror or type(error).__name__
        raise InputError(f"{where}: the list {path} cannot be read ({reason}); check the file and run again") from None
    except DamageError as error:
        raise InputError(f"{where}: the list {path} is damaged: {error}; get it again") from None
    names = [line.strip() for line in content.decode("utf-8", "replace").splitlines() if line.strip()]
    if not names:
        raise InputError(f"{where}: the list {path} names no file")
    for each in names:
        if re.search(r"(^|/)\.\.(/|$)|^/|://", each):
            raise InputError(f"{where}: the list {path} names '{each[:200]}', which is not below {base}")
    if is_url(base):
        return [joined(base, each) for each in dict.fromkeys(names)]
    return [f"{Path(base).expanduser()}/{glob.escape(each)}" for each in dict.fromkeys(names)]
