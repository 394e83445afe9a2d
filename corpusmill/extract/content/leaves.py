"""Find the leaf of a tree for every row, 32 rows at a time.  This is the innermost loop of forests, as LLVM's vectors.

A kernel with a loop would become the same vectors.  But before the loop, LLVM would check for each of the fifteen
columns whether the results are written into it, and Python's rule for negative indices would be checked for each, too.
This takes as long as two registers of rows, for every tree, and a page uses 660 trees.  Numba has no way to declare
that arrays do not overlap.
"""

from collections.abc import Sequence
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils

from corpusmill.extract.segments.lanes import in_all_lanes
from corpusmill.extract.segments.lean import Typed, in_llvm

LEAVES = 16  # of a tree, at most; one bit each
QUESTIONS = LEAVES - 1
ROWS = 32  # in a register of AVX-512; other processors use two or four registers
DE_BRUIJN = 0x09AF  # all groups of four bits differ; times a power of two, the upper four identify it

_I16, _I64 = ir.IntType(16), ir.IntType(64)
_LANES, _BYTES = ir.VectorType(_I16, ROWS), ir.VectorType(ir.IntType(8), ROWS)


@in_llvm
def find_leaves(_: object, keys: Any, features: Any, borders: Any, ruled_out: Any, found: Any) -> Typed:
    """The place of the leaf of every row: found, uint8 (n,), where n is a multiple of ROWS.

    For comparison k < QUESTIONS of the tree, the values are `keys[features[k]]`, int16 (n,).  They are compared with
    `borders[k]`.  For values above it, the leaves `ruled_out[k]`, as bits, are ruled out.  The result is
    `forest.PLACES` of the first leaf that remains.
    """

    def write(context: Any, builder: Any, signature: Any, values: Sequence[Any]) -> Any:
        arrays = (
            context.make_array(kind)(context, builder, value)
            for kind, value in zip(signature.args, values, strict=True)
        )
        keys, features, borders, ruled_out, found = arrays
        base, row_bytes = builder.ptrtoint(keys.data, _I64), builder.extract_value(keys.strides, 0)
        questions = []
        for k in range(QUESTIONS):
            feature, border, leaves = (
                builder.load(builder.gep(of_tree.data, [_I64(k)])) for of_tree in (features, borders, ruled_out)
            )
            row = builder.add(base, builder.mul(builder.zext(feature, _I64), row_bytes))
            row = builder.inttoptr(row, _I16.as_pointer())
            questions.append((row, in_all_lanes(builder, border, _LANES), in_all_lanes(builder, leaves, _LANES)))
        n = builder.extract_value(found.shape, 0)
        with cgutils.for_range_slice(builder, _I64(0), n, _I64(ROWS), intp=_I64) as (i, _):
            out = _lanes(0)
            for row, border, leaves in questions:
                at = builder.bitcast(builder.gep(row, [i]), _LANES.as_pointer())
                is_above = builder.icmp_signed(">", builder.load(at, align=2), border)
                out = builder.or_(out, builder.select(is_above, leaves, _lanes(0)))
            leaf = builder.and_(builder.not_(out), builder.add(out, _lanes(1)))  # the lowest bit that is not set
            place = builder.lshr(builder.mul(leaf, _lanes(DE_BRUIJN)), _lanes(12))
            to = builder.bitcast(builder.gep(found.data, [i]), _BYTES.as_pointer())
            builder.store(builder.trunc(place, _BYTES), to, align=1)
        return context.get_dummy_value()

    return types.void(keys, features, borders, ruled_out, found), write


def _lanes(value: int) -> Any:
    return ir.Constant(_LANES, [value] * ROWS)
