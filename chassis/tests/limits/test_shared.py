"""Buckets and counts in memory that processes share."""

import multiprocessing
import os
import signal
from collections.abc import Callable
from typing import Any

import pytest

from chassis.limits import MemoryBuckets, Rate
from chassis.limits.limiter import Limiter
from chassis.limits.machine import Machine, Master
from chassis.limits.shared import SET_BYTES, SharedBuckets
from chassis.limits.zone import Zone, reserve
from chassis.tests.patience import LIMIT_SECONDS, wait_until

HOURLY = (Rate(4, 14_400), Rate(6, 86_400))  # so slow that the time a test takes gives nothing back
FORK = multiprocessing.get_context("fork")


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def machines(count: int, keys: int = 1000) -> list[Machine]:
    """Return what so many workers share, all in this process."""
    master = Master(keys, count)
    return [Machine(ticket) for number in range(count) if (ticket := master.admit(number))]


def ended(process: Any) -> int:
    process.join(LIMIT_SECONDS)
    return process.exitcode


def buckets(sets: int, clock: Callable[[], float]) -> SharedBuckets:
    return SharedBuckets(Zone(reserve(sets * SET_BYTES), sets * SET_BYTES), 0, sets, clock)


def test_shared_buckets_answer_as_those_of_one_process_do():
    clock = Clock()
    here, shared = MemoryBuckets(clock=clock), buckets(64, clock)
    rates = (Rate(5, 10), Rate(8, 60))
    for step in range(200):
        clock.now += step % 7 / 4
        key, cost, late = str(step % 3), 1 + step % 2, step % 5 / 100
        if step % 50 == 49:
            here.hold(key, rates, 3)
            shared.hold(key, rates, 3)
        look = step % 4 == 0
        assert shared.take(key, rates, cost, look=look, late_seconds=late) == here.take(
            key, rates, cost, look=look, late_seconds=late
        )


def test_processes_take_from_one_bucket():
    one, *_ = machines(4)
    granted = FORK.Value("i", 0)

    def take() -> None:
        mine = sum(one.buckets.take("a", (Rate(100, 86_400),)).granted for _ in range(100))
        with granted.get_lock():
            granted.value += mine

    workers = [FORK.Process(target=take) for _ in range(4)]
    for worker in workers:
        worker.start()
    assert [ended(worker) for worker in workers] == [0] * 4
    assert granted.value == 100


def test_a_changed_rate_begins_with_a_full_bucket():
    one, two = machines(2)
    assert not [one.buckets.take("a", (Rate(1, 86_400),)) for _ in range(2)][1].granted
    assert two.buckets.take("a", (Rate(2, 1),)).granted


def test_a_flood_of_addresses_does_not_displace_one_that_took_much():
    clock = Clock()
    full = buckets(4, clock)
    rates = (Rate(10, 3600),)
    while full.take("guesser", rates).granted:
        pass
    for number in range(2000):
        assert full.take(f"192.0.2.{number}", rates).granted
        clock.now += 0.01
    assert not full.take("guesser", rates).granted


def test_more_rates_than_fit_are_an_error():
    with pytest.raises(ValueError, match="At most 8 rates"):
        buckets(1, Clock()).take("a", tuple(Rate(1, number) for number in range(1, 10)))


def test_a_worker_killed_while_it_holds_a_lock_stops_nobody():
    memory = Zone(reserve(SET_BYTES), SET_BYTES)
    shared = SharedBuckets(memory, 0, 1)
    limiter = Limiter()
    limiter.share(shared)
    inside = FORK.Event()

    def hold() -> None:
        with memory.locked(0):
            inside.set()
            os.kill(os.getpid(), signal.SIGSTOP)

    holder = FORK.Process(target=hold)
    holder.start()
    assert inside.wait(LIMIT_SECONDS)
    wait_until(lambda: os.waitpid(holder.pid, os.WUNTRACED | os.WNOHANG) != (0, 0), "it did not stop")
    with pytest.raises(TimeoutError):
        shared.take("a", HOURLY)
    assert [limiter.take("a", HOURLY).granted for _ in range(5)] == [True] * 4 + [False]  # it counts by itself
    os.kill(holder.pid, signal.SIGKILL)
    os.waitpid(holder.pid, 0)
    assert [shared.take("a", HOURLY).granted for _ in range(5)] == [True] * 4 + [False]


def test_a_dead_workers_sessions_are_subtracted():
    master = Master(100, 2)
    one, two = (Machine(ticket) for number in (1, 2) if (ticket := master.admit(number)))
    one.sessions.put("192.0.2.1", 5, 2)
    two.sessions.put("192.0.2.1", 1, 1)
    assert two.sessions.totals("192.0.2.1") == (6, 3)
    master.bury(1)
    assert two.sessions.totals("192.0.2.1") == (1, 1)
    ticket = master.admit(3)
    assert ticket is not None
    assert Machine(ticket).sessions.totals("192.0.2.1") == (1, 1)
    two.sessions.put("192.0.2.1", 0, 0)
    assert two.sessions.totals("192.0.2.1") == (0, 0)


def test_a_full_table_forgets_the_address_with_the_fewest_sessions():
    one, two = machines(2, keys=100)
    one.sessions.put("many", 50, 0)
    for number in range(2000):
        two.sessions.put(f"192.0.2.{number}", 1, 1)
    assert one.sessions.totals("many") == (50, 0)
    forgotten = [n for n in range(2000) if two.sessions.totals(f"192.0.2.{n}") == (0, 0)]
    assert forgotten
    two.sessions.put(f"192.0.2.{forgotten[0]}", 2, 0)
    assert one.sessions.totals(f"192.0.2.{forgotten[0]}") == (2, 0)


def test_what_a_lock_prevented_is_reported_with_a_later_change(monkeypatch):
    one, two = machines(2)
    with monkeypatch.context() as patch:
        patch.setattr(one.sessions, "change", _fail)
        one.sessions.put("a", 3, 0)
    monkeypatch.setattr("chassis.limits.counts.RETRY_SECONDS", 0)
    one.sessions._retry_at = 0.0
    one.sessions.put("b", 1, 0)
    assert (two.sessions.totals("a"), two.sessions.totals("b")) == ((3, 0), (1, 0))


def test_there_are_columns_for_the_workers_of_a_reload():
    master = Master(100, 3)
    tickets = [master.admit(number) for number in range(20)]
    assert len({ticket[-1] for ticket in tickets if ticket}) == 10
    assert tickets[10:] == [None] * 10
    master.bury(0)
    assert master.admit(21) == tickets[0]


def test_a_worker_leaves_the_next_place_to_one_that_holds_fewer():
    one, two = (machine.calls for machine in machines(2))
    assert [one.claim(held, 3 - held, 3) for held in range(3)] == [True] * 3
    assert not two.claim(0, 5, 3)
    one.report(2, 4)
    assert not one.claim(2, 4, 3)
    assert two.claim(0, 5, 3)
    assert not two.claim(1, 4, 3)


def test_workers_take_turns_at_a_single_place():
    one, two = (machine.calls for machine in machines(2))
    assert one.claim(0, 1, 1)
    assert not two.claim(0, 1, 1)
    one.report(0, 1)
    assert not one.claim(0, 1, 1)
    assert two.claim(0, 1, 1)
    two.report(0, 0)
    assert one.claim(0, 1, 1)


def _fail(*_: object) -> None:
    raise TimeoutError
