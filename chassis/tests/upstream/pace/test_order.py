"""The pace of requests is shared, in order, and without bursts after a quiet time."""

import pytest

from chassis.tests.patience import wait_until
from chassis.tests.upstream.pace.clocks import Clock, HandClock
from chassis.upstream import pace
from chassis.upstream.pace import Pace


def test_tokens_come_at_the_pace_though_every_sleep_overshoots(clock: Clock) -> None:
    clock.late = 0.012
    times = clock.take(Pace(50), 101)
    assert 1.98 < times[-1] - times[0] < 2.02


def test_threads_share_one_pace(hand_clock: HandClock, callers) -> None:
    group = callers(Pace(256))
    for _ in range(20):
        group.take(10)
    for step in range(1, 26):
        hand_clock.now += 8 / 256
        group.have(8 * step)
    assert sorted(group.taken) == sorted(list(range(20)) * 10)


def test_who_comes_first_is_served_first(hand_clock: HandClock, callers) -> None:
    group = callers(Pace(16))
    for _ in range(12):
        group.take(1)
    for number in range(12):
        hand_clock.now += 1 / 16
        group.have(number + 1)
    assert group.taken == list(range(12))


def test_two_groups_get_their_shares(hand_clock: HandClock, callers) -> None:
    group = callers(Pace(256))
    for _ in range(20):
        group.take(1000)
    for step in range(1, 26):
        hand_clock.now += 8 / 256
        group.have(8 * step)
        wait_until(lambda: group.bucket.state()[0] == 20)
    taken = [group.taken.count(number) for number in range(20)]
    assert max(taken) - min(taken) <= 4, "each of 20 callers should get about 10 of 200 tokens"
    assert 1.5 < sum(taken[5:]) / sum(taken[:5]) < 6


def test_a_quiet_time_saves_up_no_more_than_the_burst(clock: Clock) -> None:
    bucket = Pace(10, burst=5)
    clock.take(bucket, 6)
    clock.now += 5
    times = clock.take(bucket, 6)
    assert times[4] == times[0]
    assert times[5] - times[0] == pytest.approx(0.1)


def test_without_a_burst_a_quiet_time_saves_up_nothing(clock: Clock) -> None:
    bucket = Pace(10)
    bucket.wait()
    clock.now += 0.5
    times = clock.take(bucket, 2)
    assert times[1] - times[0] == pytest.approx(0.1)


def test_a_long_stall_does_not_end_in_a_burst(hand_clock: HandClock, callers) -> None:
    group = callers(Pace(128))
    for _ in range(5):
        group.take(1000)
    hand_clock.now += 1 / 128
    group.have(1)
    hand_clock.now += 0.5
    made_up = 1 + int(pace.CATCH_UP_SECONDS * 128)
    group.have(1 + made_up)  # 0.05 s worth of tokens may be made up for, not the 64 of the whole stall
    for step in range(1, 6):
        hand_clock.now += 1 / 128
        group.have(1 + made_up + step)
