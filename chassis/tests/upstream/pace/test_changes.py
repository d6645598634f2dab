"""Waiting is cancelled, paused, or reached by another pace."""

import pytest

from chassis.tests.patience import LIMIT_SECONDS
from chassis.tests.upstream.pace.clocks import Callers, Clock, HandClock
from chassis.upstream import Cancelled
from chassis.upstream.pace import Pace


def test_a_cancelled_waiter_stops_at_once_and_takes_no_token_with_it(hand_clock: HandClock, callers) -> None:
    leaving = callers(Pace(0.5))
    for _ in range(5):
        leaving.take(1)
    staying = Callers(leaving.pool, leaving.bucket)
    staying.take(1)
    leaving.ended.set()
    for run in leaving.runs:
        with pytest.raises(Cancelled):  # and no token came: the clock stands still
            run.result(LIMIT_SECONDS)
    hand_clock.wait_for_looks()
    staying.have(0)
    hand_clock.now += 2
    staying.have(1)  # five tokens of those who left would be 10 s


def test_a_pause_holds_everybody(hand_clock: HandClock, callers) -> None:
    group = callers(Pace(1024))
    group.bucket.pause(0.5)
    group.bucket.pause(0.125)
    for _ in range(10):
        group.take(1)
    hand_clock.now = 0.4375
    hand_clock.wait_for_looks()
    group.have(0)
    hand_clock.now = 0.5
    group.have(1)
    hand_clock.now += 9 / 1024
    group.have(10)


def test_a_pause_reaches_those_who_wait_already(hand_clock: HandClock, callers) -> None:
    group = callers(Pace(4))
    group.take(1)
    group.bucket.pause(0.5)
    hand_clock.now = 0.25
    hand_clock.wait_for_looks()
    group.have(0)
    hand_clock.now = 0.5
    group.have(1)


def test_a_faster_pace_reaches_those_who_wait_already(hand_clock: HandClock, callers) -> None:
    group = callers(Pace(0.0625))
    group.take(5)
    group.bucket.configure(128)
    for count in range(1, 6):  # 16 s for one at the old pace
        hand_clock.now += 1 / 128
        group.have(count)


def test_a_change_of_pace_ends_no_pause(clock: Clock) -> None:
    bucket = Pace(10, burst=5)
    bucket.pause(60)
    bucket.configure(20, burst=5)
    times = clock.take(bucket, 2)
    assert times == [pytest.approx(60), pytest.approx(60.05)]


def test_a_change_of_pace_gives_no_second_burst(clock: Clock) -> None:
    bucket = Pace(10, burst=5)
    clock.take(bucket, 5)
    bucket.configure(1, burst=5)
    assert clock.take(bucket, 2) == [pytest.approx(1), pytest.approx(2)]
