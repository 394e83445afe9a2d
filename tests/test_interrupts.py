"""Signals that ask for an end."""

import signal

import pytest

from corpusmill.errors import InterruptedRunError
from corpusmill.interrupts import NUMBERS, interruptible


@pytest.mark.parametrize("number", NUMBERS)
def test_a_signal_is_an_error(number):
    before = signal.getsignal(number)
    with pytest.raises(InterruptedRunError, match=f"interrupted by {number.name}; go on"), interruptible("; go on"):
        signal.raise_signal(number)
    assert signal.getsignal(number) is before


def test_a_signal_that_was_ignored_stays_ignored():
    """As SIGHUP is under nohup."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with interruptible():
            signal.raise_signal(signal.SIGHUP)
        assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)
