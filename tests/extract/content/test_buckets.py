"""Tables of two-entry buckets against dictionaries."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from corpusmill.extract.content.buckets import add_bits, build, look_up


def keys_of(numbers):
    return np.array(list(numbers), np.uint32)


def is_like_another(key, others):
    """Whether a table may take two keys for one: they have the same mark (0 is taken for 1)."""
    return any(other != key and max(other >> 16, 1) == max(key >> 16, 1) for other in others)


@settings(deadline=None)
@given(st.dictionaries(st.integers(0, 2**32 - 1), st.integers(1, 2**16 - 1), max_size=200))
def test_keys_have_their_numbers_or_none(numbers):
    entries = build(keys_of(numbers), np.array(list(numbers.values()), np.int64), np.arange(len(numbers)))
    found = {key: look_up(entries, np.uint32(key)) for key in numbers}
    known = {key for key in numbers if found[key]}
    assert all(found[key] == numbers[key] for key in known if not is_like_another(key, numbers))
    assert len(known) >= 0.9 * len(numbers) - 2


def test_few_keys_have_no_room_and_other_keys_are_unknown():
    keys = np.random.default_rng(0).integers(0, 2**32, 60_000, dtype=np.uint32)
    known, unknown = np.unique(keys[:30_000]), np.setdiff1d(keys[30_000:], keys[:30_000])
    entries = build(known, np.full(len(known), 7), np.ones(len(known)))
    assert sum(look_up(entries, key) == 7 for key in known) > 0.96 * len(known)
    assert sum(look_up(entries, key) > 0 for key in unknown) < 20  # expected: one in 65,536 for each entry met


def test_a_full_bucket_keeps_what_is_important():
    keys = np.array([k << 16 | 5 for k in range(1, 5)], np.uint32)
    entries = build(keys, np.array([10, 11, 12, -1]), np.array([0.1, 3.0, 0.2, 2.0]))
    assert [look_up(entries, key) for key in keys] == [0, 11, 0, 0xFFFF]


def test_bits_are_added_up():
    entries = np.zeros(16, np.uint32)
    a, b, c = np.uint32(1 << 20 | 3), np.uint32(2 << 20 | 3), np.uint32(3 << 20 | 3)
    assert add_bits(entries, a, 1)
    assert add_bits(entries, a, 4)
    assert add_bits(entries, b, 2)
    assert not add_bits(entries, c, 2)
    assert [look_up(entries, key) for key in (a, b, c)] == [5, 2, 0]
