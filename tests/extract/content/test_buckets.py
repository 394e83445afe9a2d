"""Tables of two-entry buckets against dictionaries."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from corpusmill.extract.content.buckets import add_bits, build, look_up


@settings(deadline=None)
@given(st.sets(st.integers(0, 2**32 - 1), max_size=200))
def test_kept_keys_have_their_numbers(keys):
    keys = np.array(sorted(keys), np.uint32)
    entries, kept = build(keys, np.arange(len(keys), dtype=np.float32))
    assert [look_up(entries, keys[k]) for k in kept] == list(range(1, len(kept) + 1))


def test_few_keys_have_no_room_and_other_keys_are_unknown():
    keys = np.random.default_rng(0).integers(0, 2**32, 60_000, dtype=np.uint32)
    known, unknown = np.unique(keys[:30_000]), np.setdiff1d(keys[30_000:], keys[:30_000])
    entries, kept = build(known, np.ones(len(known)))
    assert len(kept) > 0.96 * len(known)
    assert sum(look_up(entries, key) > 0 for key in unknown) < 20  # expected: one in 65,536 for each entry met


def test_a_full_bucket_keeps_what_is_important():
    keys = np.array([k << 16 | 5 for k in range(1, 5)], np.uint32)
    entries, kept = build(keys, np.array([0.1, 3.0, 0.2, 2.0]))
    assert keys[kept].tolist() == [keys[1], keys[3]]
    assert look_up(entries, keys[0]) == 0


def test_bits_are_added_up():
    entries = np.zeros(16, np.uint32)
    a, b, c = np.uint32(1 << 20 | 3), np.uint32(2 << 20 | 3), np.uint32(3 << 20 | 3)
    assert add_bits(entries, a, 1)
    assert add_bits(entries, a, 4)
    assert add_bits(entries, b, 2)
    assert not add_bits(entries, c, 2)
    assert [look_up(entries, key) for key in (a, b, c)] == [5, 2, 0]
