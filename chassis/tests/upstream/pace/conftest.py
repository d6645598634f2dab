"""The clock of the pace, and callers of one."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from chassis.tests.upstream.pace.clocks import Callers, Clock, HandClock
from chassis.upstream import pace
from chassis.upstream.pace import Pace


@pytest.fixture
def clock(monkeypatch) -> Clock:
    """The clock of the pace."""
    made = Clock()
    monkeypatch.setattr(pace, "time", made)
    monkeypatch.setattr(pace, "threading", made)
    return made


@pytest.fixture
def hand_clock(monkeypatch) -> HandClock:
    """The clock of the pace, which the test moves; times and paces are powers of two, so that sums are exact."""
    made = HandClock()
    monkeypatch.setattr(pace, "time", made)
    return made


@pytest.fixture
def callers(in_threads: ThreadPoolExecutor):
    """Return a function that makes callers of a pace; they end with the test."""
    made: list[Callers] = []

    def make(bucket: Pace) -> Callers:
        bucket.wait()  # the first token is there at once
        made.append(Callers(in_threads, bucket))
        return made[-1]

    yield make
    for one in made:
        one.end()
