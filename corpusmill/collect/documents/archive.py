"""Files in a ZIP archive, read in memory and within bounds.  Nothing is written to a disk, so no path can lead out."""

import io
import zipfile
from xml.etree import ElementTree

from corpusmill.collect.records import DamageError

MAX_MEMBERS = 50_000
Element = ElementTree.Element


class Archive:
    """A ZIP archive in memory.  DamageError if it is damaged, encrypted or inflates to more than `max_bytes`."""

    def __init__(self, content: bytes, max_bytes: int) -> None:
        self._left = max_bytes
        try:
            self._zip = zipfile.ZipFile(io.BytesIO(content))
        except (zipfile.BadZipFile, ValueError, NotImplementedError):
            raise DamageError("it is no ZIP archive, or its directory is damaged") from None
        if len(self._zip.infolist()) > MAX_MEMBERS:
            raise DamageError(f"the archive has more than {MAX_MEMBERS:,} files")

    def __contains__(self, name: str) -> bool:
        return name in self._zip.NameToInfo

    def names(self) -> list[str]:
        """The names of its files."""
        return self._zip.namelist()

    def inflated(self, ending: str) -> int:
        """The stated size of all files whose names have an ending.  No more is read of a file than it states."""
        return sum(info.file_size for info in self._zip.infolist() if info.filename.endswith(ending))

    def read(self, name: str) -> bytes:
        """A file of the archive."""
        try:
            info = self._zip.getinfo(name)
            if info.flag_bits & 1:
                raise DamageError("the file is encrypted")
            with self._zip.open(info) as file:
                content = file.read(self._left + 1)
        except KeyError:
            raise DamageError(f"the archive has no file '{name}'") from None
        except (zipfile.BadZipFile, NotImplementedError, EOFError, OSError, ValueError, RuntimeError):
            raise DamageError(f"'{name}' in the archive is damaged") from None
        except Exception as error:
            if type(error).__module__ in ("zlib", "lzma"):
                raise DamageError(f"'{name}' in the archive is damaged") from None
            raise
        self._left -= len(content)
        if self._left < 0:
            raise DamageError("the archive inflates to more than a page may have")
        return content

    def xml(self, name: str) -> Element:
        """A file of the archive as XML."""
        return safe_xml(self.read(name), name)


def safe_xml(content: bytes, name: str = "the file") -> Element:
    """The root of an XML document.  DamageError if it cannot be read, or declares entities.

    Without declared entities there is nothing that grows and nothing that leads to other files.  expat never reads an
    external document type.
    """
    if declares_entities(content):
        raise DamageError(f"{name} declares entities")
    try:
        return ElementTree.fromstring(content)  # see above
    except (ElementTree.ParseError, LookupError, ValueError):
        raise DamageError(f"the XML of {name} cannot be read") from None


def declares_entities(content: bytes) -> bool:
    """Whether XML declares entities, in any encoding that expat reads: all of them contain ASCII, maybe with zeros."""
    return b"<!ENTITY" in content or (b"\0" in content and b"<!ENTITY" in content.replace(b"\0", b""))


def local_name(element: Element) -> str:
    """The name of an element without its namespace."""
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""


def text_of(element: Element | None) -> str | None:
    """All text in an element on one line; None if there is none."""
    return (" ".join("".join(element.itertext()).split()) or None) if element is not None else None
