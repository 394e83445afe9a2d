"""UTF-8 in kernels: one character at a time, forwards."""

from corpusmill.arrow import Bytes
from corpusmill.kernels import inner_kernel


@inner_kernel
def width_at(data: Bytes, i: int) -> int:
    """The number of bytes of the character that begins at i."""
    byte = data[i]
    return 1 if byte < 0x80 else 2 if byte < 0xE0 else 3 if byte < 0xF0 else 4


@inner_kernel
def code_at(data: Bytes, i: int) -> int:
    """The code point that begins at i, in valid UTF-8."""
    byte = int(data[i])
    if byte < 0x80:
        return byte
    if byte < 0xE0:
        return (byte & 0x1F) << 6 | int(data[i + 1]) & 0x3F
    if byte < 0xF0:
        return (byte & 0x0F) << 12 | (int(data[i + 1]) & 0x3F) << 6 | int(data[i + 2]) & 0x3F
    high = (byte & 0x07) << 18 | (int(data[i + 1]) & 0x3F) << 12
    return high | (int(data[i + 2]) & 0x3F) << 6 | int(data[i + 3]) & 0x3F


@inner_kernel
def character_at(data: Bytes, i: int, end: int) -> tuple[int, int]:
    """How many bytes the character at i has, 0 if it goes on after the end; and its code point."""
    width = width_at(data, i)
    if i + width > end:
        return 0, 0
    return width, code_at(data, i)
