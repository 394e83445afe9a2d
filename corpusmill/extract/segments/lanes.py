"""Many bytes at a time, in LLVM's own vectors: how far a run goes, copied or not, and names as numbers.

Most of a page is runs of bytes of one sort: small letters, names of elements and attributes, words of a class.  LLVM
makes no vectors of a loop that ends where a byte says so.  With these, text takes 36 microseconds an average page
where it took 62, tags and their attributes 157 where they took 165.

They read up to `WIDEST` bytes beyond the place that they are given, which `scan.PADDING` allows for.
"""

from collections.abc import Sequence
from typing import Any

from llvmlite import ir
from numba import types

from corpusmill.extract.segments.lean import Bytes, Int, Key, Typed, in_llvm, lean_kernel, unsigned

RUN, NAME, WIDEST = 32, 16, 64  # bytes that are looked at together
PACKED = 8  # bytes of a key

_I1, _I8, _I64 = ir.IntType(1), ir.IntType(8), ir.IntType(64)
_TWO_NUMBERS = types.Tuple((types.int64, types.int64))  # type: ignore[no-untyped-call]
_TWO_MASKS = types.Tuple((types.uint64, types.uint64))  # type: ignore[no-untyped-call]


@in_llvm
def copy_letters(_: object, source: Any, position: Any, text: Any, written: Any) -> Typed:
    """Copy the run of small letters and single spaces at source[position] to text[written:], or RUN bytes of it.

    The answer is its length, below RUN if it ends there, and how many spaces are in it; a space is part of it if a
    small letter follows.  Up to RUN bytes are written, whatever the length.
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
    """How many bytes of a name are at source[position]: no capital, no control, none of " /=>"; NAME at most."""

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
    """Which of the WIDEST bytes at source[position] are letters, as bits, and which of them capitals.

    Bytes beyond ASCII are letters, and no capitals.
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
    """Which of the WIDEST bytes at text[position] are letters or digits of ASCII, as bits, and which are beyond it."""

    def write(context: Any, builder: Any, signature: Any, values: Sequence[Any]) -> Any:
        here = _lanes_at(context, builder, signature, values, WIDEST)
        small = builder.or_(here, _all(WIDEST, ord("a") - ord("A")))
        is_inside = builder.or_(_is_among(builder, small, "a", "z"), _is_among(builder, here, "0", "9"))
        masks = (is_inside, builder.icmp_signed("<", here, _all(WIDEST, 0)))
        return context.make_tuple(builder, signature.return_type, [_bits(builder, mask) for mask in masks])

    return _TWO_MASKS(text, types.int64), write


@in_llvm
def folded(_: object, text: Any, position: Any, n: Any) -> Typed:
    """The first n <= NAME bytes at text[position] as two numbers: capitals of ASCII as small letters, digits as 0."""

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
    """The 1 to PACKED bytes source[position : position + n] as a number, the first of them the highest."""

    def write(context: Any, builder: Any, signature: Any, values: Sequence[Any]) -> Any:
        at = builder.gep(context.make_array(source)(context, builder, values[0]).data, [values[1]])
        number = builder.load(builder.bitcast(at, _I64.as_pointer()), align=1)
        return builder.lshr(builder.bswap(number), builder.sub(_I64(64), builder.shl(values[2], _I64(3))))

    return types.uint64(source, types.int64, types.int64), write


@in_llvm
def lowest_bit(_: object, bits: Any) -> Typed:
    """The place of the lowest bit that is set, 64 if none is."""

    def write(context: Any, builder: Any, signature: Any, values: Sequence[Any]) -> Any:
        return builder.cttz(values[0], _I1(0))

    return types.int64(types.uint64), write


def _lanes_at(context: Any, builder: Any, signature: Any, values: Sequence[Any], width: int) -> Any:
    """The bytes at a place in the first array, which is little-endian memory on all that numba runs on."""
    at = builder.gep(context.make_array(signature.args[0])(context, builder, values[0]).data, [values[1]])
    return builder.load(builder.bitcast(at, ir.VectorType(_I8, width).as_pointer()), align=1)


def in_all_lanes(builder: Any, value: Any, lanes: Any) -> Any:
    """A vector of type `lanes` that has the value in all of them."""
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
    """A mask as the bits of a number, the first lane's the lowest."""
    bits = builder.bitcast(mask, ir.IntType(mask.type.count))
    return bits if mask.type.count == 64 else builder.zext(bits, _I64)


_CAPITALS_BIT = unsigned(0x2020202020202020)  # that small letters have and capitals lack
_64 = unsigned(64)


@lean_kernel
def key_of(source: Bytes, start: Int, n: Int, n_capitals: Int) -> Key:
    """`tags.name_key` of the n > 0 bytes at `start`, of which the first are capitals."""
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
