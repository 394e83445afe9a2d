"""What users add: signals, edits, stages, sources and extractors of their own, from a module that the recipe names.

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

A module is a file relative to the recipe (a path that ends in .py) or an installed package (a dotted name).  The source
of a file is sent with the job, so workers need no access to the recipe's folder.  A package must be installed where the
workers run, in the same version.

The content of a module is part of the fingerprints of the stages that use it.  For a file, this is its text.  For an
installed package, these are all its files and the version of its distribution.
"""

import hashlib
import importlib
import importlib.metadata
import importlib.util
import sys
import threading
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, TypeVar

from corpusmill.errors import InputError, said
from corpusmill.names import checked_name

if TYPE_CHECKING:
    import pyarrow as pa

    from corpusmill.settings import Settings

Function = TypeVar("Function", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True, kw_only=True)
class Registered:
    """Anything that a user's module adds."""

    origin: str = ""  # name of the module that registered this


@dataclass(frozen=True, slots=True)
class Signal(Registered):
    """A column of the signals table: pages (n rows) -> an Arrow array of n values; null if it does not apply."""

    name: str
    type: "pa.DataType"
    description: str
    function: "Callable[[pa.Table], pa.Array | pa.ChunkedArray]"


@dataclass(frozen=True, slots=True)
class Edit(Registered):
    """A change of the text that is recorded: texts (n) -> n texts."""

    name: str
    description: str
    function: "Callable[[pa.Array], pa.Array | pa.ChunkedArray]"


@dataclass(frozen=True, slots=True)
class OwnStage(Registered):
    """A table of a user, with one row for each row of the first table that it reads."""

    name: str
    description: str
    reads: dict[str, tuple[str, ...]]  # by stage, the columns that it reads
    columns: "tuple[tuple[str, pa.DataType, str], ...]"  # name, type, description
    function: "Callable[[dict[str, pa.Table]], Mapping[str, pa.Array | pa.ChunkedArray]]"


@dataclass(frozen=True, slots=True)
class OwnSource(Registered):
    """A reader of a kind of source: (path of one file, options or settings) -> records as mappings."""

    kind: str
    settings: "type[Settings] | None"
    function: Callable[..., Iterable[Mapping[str, Any]]]


@dataclass(frozen=True, slots=True)
class OwnExtractor(Registered):
    """(HTML, URL) -> main text."""

    name: str
    function: Callable[..., Any]


@dataclass(slots=True)
class Registry:
    """What users registered, by name."""

    signals: dict[str, Signal] = field(default_factory=dict)
    edits: dict[str, Edit] = field(default_factory=dict)
    stages: dict[str, OwnStage] = field(default_factory=dict)
    sources: dict[str, OwnSource] = field(default_factory=dict)
    extractors: dict[str, OwnExtractor] = field(default_factory=dict)

    def kinds(self) -> dict[str, dict[str, Any]]:
        """By the name of its kind (singular), everything registered of that kind."""
        return {each.name.removesuffix("s"): getattr(self, each.name) for each in fields(self)}

    def add(self, other: "Registry") -> None:
        """Add everything from another registry.  It replaces what has the same name."""
        for kind, registered in other.kinds().items():
            self.kinds()[kind].update(registered)

    def where(self, condition: Callable[[Registered], bool]) -> "Registry":
        """A registry of everything that meets the condition."""
        chosen = Registry()
        for kind, registered in self.kinds().items():
            chosen.kinds()[kind].update({name: each for name, each in registered.items() if condition(each)})
        return chosen


USER_COLUMNS = ("doc_id", "url", "title", "text", "html_lang", "metadata", "n_bytes")
"""Columns of pages that a user's signal may read; the signals of a page depend on nothing else."""

REGISTRY = Registry()  # of this process: the newest of each name is used
_BY_MODULE: dict[str, Registry] = {}  # what each user module registered while it loaded
_LOADING: list[Registry] = []  # of the modules that are being loaded; the innermost is last
_LOCK = threading.RLock()


def _register(kind: str, name: str, each: Registered) -> None:
    """InputError if the name is not valid, or if the module that is being loaded has registered it already."""
    try:
        checked_name(name)
    except ValueError as error:
        raise InputError(f"{kind} {error}") from None
    registered = _LOADING[-1].kinds()[kind] if _LOADING else {}
    if name.lower() in {other.lower() for other in registered}:  # SQL does not distinguish upper and lower case
        raise InputError(f"{kind} '{name}' is registered twice; names must differ")
    origin = sys._getframe(2).f_globals.get("__name__", "")
    (_LOADING[-1] if _LOADING else REGISTRY).kinds()[kind][name] = replace(each, origin=origin)


def name_of(function: Callable[..., Any]) -> str:
    """Module and name of a user's function, for messages."""
    module = sys.modules.get(getattr(function, "__module__", ""))
    where = getattr(module, "__file__", None) if isinstance(module, _File) else getattr(function, "__module__", "?")
    return f"{getattr(function, '__qualname__', type(function).__name__)} in {where}"


def raised(error: BaseException, module: str = "") -> str:
    """What the user's code raised, and where: the innermost line of it that is in one of the user's modules.

    module: the key of one that is being loaded.  Every place that calls a user's function tells errors by this.
    """
    what = said(error)
    if isinstance(error, SyntaxError) and error.lineno is not None:
        return f"{type(error).__name__}: {error.msg} ({error.filename}, line {error.lineno})"
    keys = (*_BY_MODULE, *filter(None, [module]))
    lines = [
        (frame.f_code.co_filename, line)
        for frame, line in traceback.walk_tb(error.__traceback__)
        if any(f"{frame.f_globals.get('__name__', '')}.".startswith(f"{key}.") for key in keys)
    ]
    return f"{what} ({lines[-1][0]}, line {lines[-1][1]})" if lines else what


def signal(name: str, type: "pa.DataType", description: str) -> Callable[[Function], Function]:
    """Register a function of the pages table as a column of signals; NaN becomes null, which drops nothing."""

    def register(function: Function) -> Function:
        _check_type(f"signal '{name}'", type)
        _register("signal", name, Signal(name, type, description, function))
        return function

    return register


def edit(name: str, description: str) -> Callable[[Function], Function]:
    """Register a function from texts (an Arrow array of n strings) to n texts as an edit of the final text.

    Edits run where the recipe's list `edits` names them as a kind; those that it does not name run after it, in the
    order of the recipe's modules.  All run before personal data is masked.  The columns `edit_NAME_lines` and
    `edit_NAME_chars` of the table texts count what each edit removed or changed.  A null text stays null.
    """

    def register(function: Function) -> Function:
        _register("edit", name, Edit(name, description, function))
        return function

    return register


def stage(
    name: str,
    description: str,
    *,
    reads: Mapping[str, Sequence[str]],
    columns: "Mapping[str, tuple[pa.DataType, str]]",
) -> Callable[[Function], Function]:
    """Register a function as a stage: a table with one row for each row of the first table that it reads.

    reads: by stage, the columns that the function receives.  The stage runs after the last of these stages.
    columns: by name, the type and a description of each column that the function returns.

    The function receives {stage: table} of one part and returns {column: array}.  A column `doc_id` is added.
    """

    def register(function: Function) -> Function:
        _check_stage(name, reads, columns)
        own = OwnStage(
            name,
            description,
            {stage: tuple(names) for stage, names in reads.items()},
            tuple((column, *what) for column, what in columns.items()),
            function,
        )
        _register("stage", name, own)
        return function

    return register


def _check_type(what: str, type: Any) -> None:
    """InputError unless it is an Arrow type that DuckDB can read."""
    import pyarrow as pa

    if not isinstance(type, pa.DataType) or not _is_kept(type):
        raise InputError(
            f"{what}: its type must be one of pyarrow's that Parquet and DuckDB keep, as pa.float64(), not {type!r}"
        )


def _is_kept(type: "pa.DataType") -> bool:
    """Whether a column of this type is unchanged after writing and reading with Parquet and DuckDB."""
    from pyarrow import types

    if types.is_list(type) or types.is_large_list(type):
        return _is_kept(type.value_type)
    if types.is_struct(type):
        return type.num_fields > 0 and all(_is_kept(type.field(place).type) for place in range(type.num_fields))
    if types.is_map(type):
        return _is_kept(type.key_type) and _is_kept(type.item_type)
    tests = [types.is_boolean, types.is_integer, types.is_float32, types.is_float64, types.is_string]
    tests += [types.is_large_string, types.is_binary, types.is_date32, types.is_timestamp, types.is_decimal128]
    return any(test(type) for test in tests)


def _check_stage(name: str, reads: Any, columns: Any) -> None:
    """InputError unless a stage reads and returns columns."""
    if not reads or any(isinstance(names, str) or not names for names in reads.values()):
        raise InputError(f"stage '{name}': reads must name stages and lists of their columns, {{'docs': ['text']}}")
    for column, what in columns.items():
        try:
            checked_name(column)
        except ValueError as error:
            raise InputError(f"stage '{name}': column {error}") from None
        if not isinstance(what, tuple | list) or len(what) != 2:
            raise InputError(f"stage '{name}': column '{column}' needs its type and a description")
        _check_type(f"stage '{name}', column '{column}'", what[0])
    lower = ["doc_id", *(column.lower() for column in columns)]
    if len(set(lower)) < len(lower):
        raise InputError(
            f"stage '{name}': names of columns must differ from each other and from doc_id, which is added"
        )


def source(
    kind: str, settings: "type[Settings] | None" = None
) -> "Callable[[Callable[..., Iterator[Mapping[str, Any]]]], Callable[..., Any]]":
    """Register a reader for a `kind` of source: (path of one file, options) -> records as mappings.

    The mapping's keys `text` or `html`, `url`, `title`, `fetched_at` and `licence` fill the columns with the same
    names; the others become `metadata`.  A file of such a source is one slice.

    settings: a model derived from `corpusmill.Source` with the keys that the kind adds.  The reader receives an object
        of this model.  Without it, the reader receives the recipe's table `options`, with any keys, as a dictionary.
    """

    def register(read: Callable[..., Iterator[Mapping[str, Any]]]) -> Callable[..., Any]:
        _register("source", kind, OwnSource(kind, settings, read))
        return read

    return register


def extractor(name: str) -> Callable[[Function], Function]:
    """Register a function (HTML as str, url) -> main text as str, for the setting `extract.extractor`."""

    def register(extract: Function) -> Function:
        _register("extractor", name, OwnExtractor(name, extract))
        return extract

    return register


class _File(ModuleType):
    """A module from a file that the recipe names."""


@dataclass(frozen=True, slots=True)
class UserModule:
    """A user's module in a form for workers: its name, its identity, and its source if it is a file."""

    name: str
    source: str | None
    digest: str  # of the module's content

    @classmethod
    def find(cls, name: str, folder: Path) -> "UserModule":
        """The module that `name` means in a recipe in `folder`."""
        if not name.endswith(".py"):
            if not all(part.isidentifier() for part in name.split(".")):
                raise InputError(
                    f"recipe: '{name}' is no module: name a file that ends in .py, or an installed package's module"
                )
            return cls(name, None, _digest_of_package(name))
        try:
            source = (folder / name).read_text("utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            why = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
            raise InputError(f"recipe: cannot read module '{name}' beside the recipe: {why}") from error
        return cls(name, source, hashlib.blake2b(source.encode(), digest_size=8).hexdigest())

    def load(self) -> None:
        """Run the module in this process, so that everything it registers is there, whatever was loaded before."""
        with _LOCK:
            if self.source is not None or self.key not in _BY_MODULE:
                was_imported = self.source is None and self.key in sys.modules
                own = Registry()
                _LOADING.append(own)
                try:
                    self._run()
                finally:
                    _LOADING.pop()
                if was_imported:  # the user's program imported it before any run
                    own = REGISTRY.where(lambda each: f"{each.origin}.".startswith(f"{self.key}."))
                _BY_MODULE[self.key] = own
            REGISTRY.add(_BY_MODULE[self.key])

    def _run(self) -> None:
        if self.source is None:
            try:
                importlib.import_module(self.name)
            except ImportError as error:
                raise InputError(f"recipe: cannot import module '{self.name}': {error}") from error
            except InputError as error:  # of what it registers
                raise InputError(f"recipe: module '{self.name}': {self._where(error)}") from error
            except (Exception, SystemExit) as error:  # any error of the user's code is the user's to see
                raise InputError(f"recipe: module '{self.name}' fails to load: {raised(error, self.key)}") from error
            if _digest_of_package(self.name) != self.digest:
                raise InputError(
                    f"recipe: module '{self.name}' is not the same on this worker as where the run was started; "
                    "install the same version on both"
                )
            return
        module = _File(self.key)
        module.__file__ = self.name
        sys.modules[self.key] = module
        try:
            exec(compile(self.source, self.name, "exec"), module.__dict__)
        except InputError as error:  # an error in what it registers
            del sys.modules[self.key]
            raise InputError(f"recipe: module '{self.name}': {self._where(error)}") from error
        except (Exception, SystemExit) as error:  # show the user any error of their code
            del sys.modules[self.key]
            raise InputError(f"recipe: module '{self.name}' fails to load: {raised(error, self.key)}") from error

    def _where(self, error: InputError) -> str:
        """The sentence of an error of ours, with the line of the module that it is about."""
        return raised(error, self.key).removeprefix(f"{type(error).__name__}: ")

    @property
    def key(self) -> str:
        """The module's name in this process."""
        return self.name if self.source is None else f"corpusmill_user_{Path(self.name).stem}_{self.digest}"


def registered_by(modules: Sequence[UserModule]) -> list[tuple[UserModule, Registry]]:
    """What each of the loaded modules has registered.  If two modules share something, it belongs to the first.

    InputError if two register different things with the same name.
    """
    first: dict[tuple[str, str], tuple[UserModule, Registered]] = {}
    found = []
    for module in modules:
        own = Registry()
        for kind, registered in _BY_MODULE[module.key].kinds().items():
            for name, each in registered.items():
                whose, what = first.setdefault((kind, name.lower()), (module, each))
                if what is not each:
                    names = f"'{whose.name}' and '{module.name}'"
                    raise InputError(f"recipe: modules {names} both register the {kind} '{name}'; rename one")
                if whose is module:
                    own.kinds()[kind][name] = each
        found.append((module, own))
    return found


def _digest_of_package(name: str) -> str:
    """Identity of an installed package: every file of it, and the version of its distribution."""
    top = name.partition(".")[0]
    try:
        spec = importlib.util.find_spec(top)
    except (ImportError, ValueError):
        spec = None
    if spec is None:
        raise InputError(
            f"recipe: cannot import module '{name}': there is no installed package '{top}' "
            f"(a file beside the recipe is named with its ending: '{top}.py')"
        )
    state = hashlib.blake2b(name.encode(), digest_size=8)
    for distribution in sorted(importlib.metadata.packages_distributions().get(top, ())):
        state.update(f"\0{distribution} {importlib.metadata.version(distribution)}".encode())
    if spec.submodule_search_locations is None:
        files = [(Path(spec.origin).name, Path(spec.origin))] if spec.origin and Path(spec.origin).is_file() else []
    else:
        roots = [Path(root) for root in spec.submodule_search_locations]
        files = [(str(path.relative_to(root)), path) for root in roots for path in root.rglob("*") if path.is_file()]
    for relative, path in sorted(files):
        if "__pycache__" not in relative:
            state.update(f"\0{relative}\0".encode() + path.read_bytes())
    return state.hexdigest()
