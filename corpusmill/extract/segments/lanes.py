"""Kernels that read many bytes at once with LLVM's vectors.  A *lane* is one element of a vector.

They find how long a run of bytes is, copy runs, and turn names into numbers.  Most of a page consists of runs of one
kind of bytes: small letters, names of elements and attributes, words of a class.  LLVM does not vectorise a loop whose
end depends on the bytes, so these vectors are written by hand.

Cost in microseconds per average page:

                                   with vectors    without
    text                           36              62
    tags and their attributes      157             165

The kernels read up to `WIDEST` bytes from the given place on.  `scan.PADDING` makes room for this after the page.
"""

from collections.abc import Sequence
from typing import Any

from llvmlite import ir
from numba import types

from corpusmill.extract.segments.lean import Bytes, Int, Key, Typed, in_llvm, lean_kernel, unsigned

RUN, NAME, WIDEST = 32, 16, 64  # number of bytes that are read at once
PACKED = 8  # bytes in a key

_I1, _I8, _I64 = ir.IntType(1), ir.IntType(8), ir.IntType(64)
_TWO_NUMBERS = types.Tuple((types.int64, types.int64))  # type: ignore[no-untyped-call]
_TWO_MASKS = types.Tuple((types.uint64, types.uint64))  # type: ignore[no-untyped-call]


@in_llvm
def copy_letters(_: object, source: Any, position: Any, text: Any, written: Any) -> Typed:
    """Copy the run of small letters and single spaces at source[position] to text[written:], at most RUN bytes of it.

    Returns the length of the run and the number of spaces in it.  The length is below RUN if the run ends there.  A
    space belongs to the run if a small letter follows.  Up to RUN bytes are written, whatever the length.
    """

    def write(context: Any, builder: Any, signature: Any, values: Sequence[Any]) -> Any:
        here = _lanes_at(context, builder, signature, values, RUN)
        following = _lanes_at(context, builder, signature, [values[0], builder.add(values[1], _I64(1))], RUN)
        to = builder.gep(context.make_array(text)(context, builder, values[2]).data, [values[3]])
        builder.store(here, builder.bitcast(to, here.type.as_pointer()), align=1)
        is_space = _is(builder, here, " ")
        is_inside = builder.and_(is_space, _is_among(builder, following, "a", "z"))
        is_inside = builder.or_(is_inside, _is_among(builder, here, "a", "z"))
        length = builder.cttz(builder.not_(_bits(builder, is_inside)), _I1(0))
        before = builder.sub(builder.shl(_I64(1), length), _I64(1))
        n_spaces = builder.ctpop(builder.and_(_bits(builder, is_space), before))
        return context.make_tuple(builder, signature.return_type, (length, n_spaces))

    return _TWO_NUMBERS(source, types.int64, text, types.int64), write


@in_llvm
def name_length(_: object, source: Any, position: Any) -> Typed:
    """The length of the name at source[position], at most NAME: no capitals, no controls, none of " /=>"."""

    def write(context: Any, builder: Any, signature: Any, values: Sequence[Any]) -> Any:
        here = _lanes_at(context, builder, signature, values, NAME)
        is_end = builder.icmp_unsigned("<=", here, _all(NAME, ord(" ")))
        for byte in "/=>":
            is_end = builder.or_(is_end, _is(builder, here, byte))
        is_end = builder.or_(is_end, _is_among(builder, here, "A", "Z"))
        return builder.cttz(builder.or_(_bits(builder, is_end), _I64(1 << NAME)), _I1(0))

    return types.int64(source, types.int64), write


@in_llvm
def letters(_: object, source: Any, position: Any) -> Typed:
    """(which of the WIDEST bytes at source[position] are letters, which of them are capitals), as bits.

    Bytes beyond ASCII count as small letters.
    """

    def write(context: Any, builder: Any, signature: Any, values: Sequence[Any]) -> Any:
        here = _lanes_at(context, builder, signature, values, WIDEST)
        is_capital = _is_among(builder, here, "A", "Z")
        is_letter = builder.or_(_is_among(builder, here, "a", "z"), builder.icmp_signed("<", here, _all(WIDEST, 0)))
        masks = (builder.or_(is_letter, is_capital), is_capital)
        return context.make_tuple(builder, signature.return_type, [_bits(builder, mask) for mask in masks])

    return _TWO_MASKS(source, types.int64), write


@in_llvm
def word_bytes(_: object, text: Any, position: Any) -> Typed:
    """(which of the WIDEST bytes at text[position] are ASCII letters or digits, which are beyond ASCII), as bits."""

    def write(context: Any, builder: Any, signature: Any, values: Sequence[Any]) -> Any:
        here = _lanes_at(context, builder, signature, values, WIDEST)
        small = builder.or_(here, _all(WIDEST, ord("a") - ord("A")))
        is_inside = builder.or_(_is_among(builder, small, "a", "z"), _is_among(builder, here, "0", "9"))
        masks = (is_inside, builder.icmp_signed("<", here, _all(WIDEST, 0)))
        return context.make_tuple(builder, signature.return_type, [_bits(builder, mask) for mask in masks])

    return _TWO_MASKS(text, types.int64), write


@in_llvm
def folded(_: object, text: Any, position: Any, n: Any) -> Typed:
    """The first n <= NAME bytes at text[position] as two numbers.  Capitals become small letters, digits become 0."""

    def write(context: Any, builder: Any, signature: Any, values: Sequence[Any]) -> Any:
        here = _lanes_at(context, builder, signature, values, NAME)
        is_capital, is_digit = (_is_among(builder, here, *ends) for ends in ("AZ", "09"))
        here = builder.select(is_capital, builder.or_(here, _all(NAME, ord("a") - ord("A"))), here)
        here = builder.select(is_digit, _all(NAME, ord("0")), here)
        places = ir.Constant(here.type, list(range(NAME)))
        n_bytes = in_all_lanes(builder, builder.trunc(values[2], _I8), here.type)
        here = builder.select(builder.icmp_unsigned("<", places, n_bytes), here, _all(NAME, 0))
        halves = builder.bitcast(here, ir.VectorType(_I64, 2))
        return context.make_tuple(
            builder, signature.return_type, [builder.extract_element(halves, _I64(k)) for k in range(2)]
        )

    return _TWO_MASKS(text, types.int64, types.int64), write


@in_llvm
def packed(_: object, source: Any, position: Any, n: Any) -> Typed:
    """The 1 to PACKED bytes source[position : position + n] as a number.  The first byte is the highest."""

    def write(context: Any, builder: Any, signature: Any, values: Sequence[Any]) -> Any:
        at = builder.gep(context.make_array(source)(context, builder, values[0]).data, [values[1]])
        number = builder.load(builder.bitcast(at, _I64.as_pointer()), align=1)
        return builder.lshr(builder.bswap(number), builder.sub(_I64(64), builder.shl(values[2], _I64(3))))

    return types.uint64(source, types.int64, types.int64), write


@in_llvm
def lowest_bit(_: object, bits: Any) -> Typed:
    """The position of the lowest bit that is set; 64 if none is set."""

    def write(context: Any, builder: Any, signature: Any, values: Sequence[Any]) -> Any:
        return builder.cttz(values[0], _I1(0))

    return types.int64(types.uint64), write


def _lanes_at(context: Any, builder: Any, signature: Any, values: Sequence[Any], width: int) -> Any:
    """The bytes at a place in the first array.  Memory is little-endian on all platforms of numba."""
    at = builder.gep(context.make_array(signature.args[0])(context, builder, values[0]).data, [values[1]])
    return builder.load(builder.bitcast(at, ir.VectorType(_I8, width).as_pointer()), align=1)


def in_all_lanes(builder: Any, value: Any, lanes: Any) -> Any:
    """A vector of type `lanes` that has this value in every lane."""
    one = builder.insert_element(ir.Constant(lanes, ir.Undefined), value, ir.IntType(32)(0))
    return builder.shuffle_vector(one, one, ir.Constant(ir.VectorType(ir.IntType(32), lanes.count), [0] * lanes.count))


def _all(width: int, value: int) -> Any:
    return ir.Constant(ir.VectorType(_I8, width), [value] * width)


def _is(builder: Any, lanes: Any, byte: str) -> Any:
    return builder.icmp_unsigned("==", lanes, _all(lanes.type.count, ord(byte)))


def _is_among(builder: Any, lanes: Any, first: str, last: str) -> Any:
    from_first = builder.sub(lanes, _all(lanes.type.count, ord(first)))
    return builder.icmp_unsigned("<=", from_first, _all(lanes.type.count, ord(last) - ord(first)))


def _bits(builder: Any, mask: Any) -> Any:
    """A mask as the bits of a number.  The first lane is the lowest bit."""
    bits = builder.bitcast(mask, ir.IntType(mask.type.count))
    return bits if mask.type.count == 64 else builder.zext(bits, _I64)


_CAPITALS_BIT = unsigned(0x2020202020202020)  # the bit that small letters have and capitals do not have
_64 = unsigned(64)


@lean_kernel
def key_of(source: Bytes, start: Int, n: Int, n_capitals: Int) -> Key:
    """`tags.name_key` of the n > 0 bytes at `start`.  The first `n_capitals` of them are capitals."""
    key = unsigned(0)
    while True:
        size = min(n, PACKED)
        piece = packed(source, start, size)
        if n_capitals > 0:
            k = min(n_capitals, size)
            piece |= _CAPITALS_BIT >> unsigned(64 - 8 * k) << unsigned(8 * (size - k))
            n_capitals -= k
        if key:
            turn = unsigned(8 * size) & unsigned(63)
            piece ^= key << turn | key >> (_64 - turn & unsigned(63))
        key = piece
        start += size
        n -= size
        if n <= 0:
            return key
