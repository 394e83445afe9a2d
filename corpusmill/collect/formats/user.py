"""A kind of source that a user's module has registered."""

from collections.abc import Iterator
from typing import Any, cast

from corpusmill.collect.files import location
from corpusmill.collect.formats.base import Format, Reading
from corpusmill.collect.records import Record
from corpusmill.collect.settings import Source
from corpusmill.extensions import OwnSource


class OptionsSource(Source):
    """A source whose kind declares no settings: a table of options with any keys."""

    options: dict[str, str | int | float | bool] = {}


class UserFormat(Format):
    """See `corpusmill.extensions.source`."""

    has_html = True

    def __init__(self, own: OwnSource) -> None:
        self.own = own
        self.kind = own.kind
        self.settings = cast(type[Source], own.settings) if own.settings is not None else OptionsSource

    def read(self, reading: Reading) -> Iterator[Record]:
        """The records that the user's function yields for the slice's file."""
        from corpusmill.collect.user import UserReader

        piece, source = reading.slice, reading.source
        options: Any = source if self.own.settings is not None else dict(source.options)
        reading.trace.whole(piece.root, piece.files[0])
        yield from UserReader(self.own.function, location(piece.root, piece.files[0]), piece.files[0], options)
