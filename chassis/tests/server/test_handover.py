"""When a worker that was told to stop may close its listener."""

import itertools
from types import SimpleNamespace

import pytest

from chassis.server.handover import Handover

ages = itertools.count(1000)


@pytest.fixture
def clock(monkeypatch):
    """The time, which passes when a test says so."""
    clock = SimpleNamespace(now=1_000.0)
    monkeypatch.setattr("chassis.server.handover.time", SimpleNamespace(monotonic=lambda: clock.now))
    return clock


def worker(delay=0.0, limit=10.0) -> Handover:
    return Handover(next(ages), delay, limit)


def serving(**options) -> Handover:
    one = worker(**options)
    one.ready()
    return one


def test_a_worker_without_a_successor_may_close_at_once():
    last = serving()
    last.begin()
    assert last.done()


def test_a_worker_waits_until_its_successor_serves():
    old = serving()
    new = worker()
    old.begin()
    assert not old.done()
    new.ready()
    assert old.done()


def test_a_successor_that_serves_already_is_not_waited_for():
    old = serving()
    serving()
    old.begin()
    assert old.done()


def test_a_successor_that_does_not_come_is_given_up(clock):
    old = serving(limit=0.5)
    worker()
    old.begin()
    assert not old.done()
    clock.now += 0.51
    assert old.done()
    serving()


def test_the_delay_passes_first(clock):
    old = serving(delay=0.5)
    old.begin()
    assert not old.done()
    clock.now += 0.51
    assert old.done()


def test_a_worker_that_is_replaced_knows_it_from_the_beginning_to_the_end():
    old = serving()
    new = worker()
    assert old.replaced
    old.begin()
    new.ready()
    old.begin()
    assert old.replaced


def test_of_several_that_end_together_none_is_replaced():
    several = [serving() for _ in range(3)]
    assert not any(one.replaced for one in several)
