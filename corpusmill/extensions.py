"""What users add: signals, sources and extractors of their own, from a module named in the recipe.

    # my_rules.py                                   # recipe.toml
    import pyarrow as pa                            # modules = ["my_rules.py"]
    import pyarrow.compute as pc                    #
    from corpusmill import signal                   # [[filters.rules]]
                                                    # name = "shouting"
    @signal("share_of_exclamations", pa.float64(),  # signal = "share_of_exclamations"
            "'!' per character")                    # comparison = ">"
    def share_of_exclamations(pages):               # threshold = 0.05
        marks = pc.count_substring(pages["text"], "!")
        return pc.divide(pc.cast(marks, "double"), pc.cast(pc.utf8_length(pages["text"]), "double"))

A module is found beside the recipe (a path that ends in .py) or among the installed packages (a dotted name).  The
source of a file travels with the job, so workers need no access to the recipe's folder, and enters the fingerprints
of the stages that it extends.
"""

import hashlib
import importlib
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from corpusmill.errors import InputError

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True, slots=True)
class Signal:
    """A column of the signals table: pages (n rows) -> an Arrow array of n values; null where it does not apply."""

    name: str
    type: "pa.DataType"
    description: str
    measure: "Callable[[pa.Table], pa.Array | pa.ChunkedArray]"


@dataclass(slots=True)
class Registry:
    """Everything that user modules have registered in this process, by name."""

    signals: dict[str, Signal] = field(default_factory=dict)
    sources: dict[str, Callable[..., Iterable[Mapping[str, Any]]]] = field(default_factory=dict)
    extractors: dict[str, Callable[..., Any]] = field(default_factory=dict)


REGISTRY = Registry()


def signal(
    name: str, type: "pa.DataType", description: str
) -> "Callable[[Callable[[pa.Table], pa.Array]], Callable[[pa.Table], pa.Array]]":
    """Register a function of the pages table as a column of signals; NaN becomes null, which drops nothing."""

    def register(measure: "Callable[[pa.Table], pa.Array]") -> "Callable[[pa.Table], pa.Array]":
        REGISTRY.signals[name] = Signal(name, type, description, measure)
        return measure

    return register


def source(kind: str) -> "Callable[[Callable[..., Iterator[Mapping[str, Any]]]], Callable[..., Any]]":
    """Register a reader for a `kind` of source: (path of one file, options) -> records as mappings.

    The mapping's keys `text` or `html`, `url`, `title`, `fetched_at` and `licence` fill the columns of those names;
    the others become `metadata`.  A file of such a source is one slice.
    """

    def register(read: Callable[..., Iterator[Mapping[str, Any]]]) -> Callable[..., Any]:
        REGISTRY.sources[kind] = read
        return read

    return register


def extractor(name: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Register a function (HTML as str, url) -> main text as str, for `extract.extractor`."""

    def register(extract: Callable[..., Any]) -> Callable[..., Any]:
        REGISTRY.extractors[name] = extract
        return extract

    return register


@dataclass(frozen=True, slots=True)
class UserModule:
    """A module of the user's, ready to travel: its name, and its source unless it is an installed package."""

    name: str
    source: str | None

    @classmethod
    def find(cls, name: str, folder: Path) -> "UserModule":
        """The module that a recipe in `folder` means by `name`."""
        if not name.endswith(".py"):
            return cls(name, None)
        try:
            return cls(name, (folder / name).read_text("utf-8"))
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(f"recipe: cannot read module '{name}' beside the recipe: {error}") from error

    def load(self) -> None:
        """Run the module in this process, so that what it registers is there, whatever ran before."""
        if self.source is None:
            try:
                importlib.import_module(self.name)
            except ImportError as error:
                raise InputError(f"recipe: cannot import module '{self.name}': {error}") from error
            return
        module = ModuleType(self.key)
        module.__file__ = self.name
        sys.modules[self.key] = module
        try:
            exec(compile(self.source, self.name, "exec"), module.__dict__)
        except Exception as error:  # any error of the user's code is the user's to see
            del sys.modules[self.key]
            what = f"{type(error).__name__}: {error}"
            raise InputError(f"recipe: module '{self.name}' fails to load: {what}") from error

    @property
    def key(self) -> str:
        """The module's name in this process."""
        return self.name if self.source is None else f"corpusmill_user_{Path(self.name).stem}_{self.digest}"

    def signals(self) -> list[Signal]:
        """The signals that the module, or its package, has registered, by name; it must have been loaded."""
        package = self.key.split(".", 1)[0]
        found = (REGISTRY.signals[name] for name in sorted(REGISTRY.signals))
        return [signal for signal in found if signal.measure.__module__.split(".", 1)[0] == package]

    @property
    def digest(self) -> str:
        """Identity of the module's code, for fingerprints."""
        return hashlib.blake2b((self.source or self.name).encode(), digest_size=8).hexdigest()
