"""The pace is kept, in order, and waiting for it can be ended."""

import contextlib
import threading
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from chassis.tests.patience import LIMIT_SECONDS, wait_until
from chassis.upstream import Cancelled, pace
from chassis.upstream.pace import Pace


class Clock:
    """A clock that only waiting moves: the first `late` seconds further each time than was asked for."""

    def __init__(self, late: float = 0.0) -> None:
        self.now, self.late, clock = 0.0, late, self

        class Event(threading.Event):
            def wait(self, timeout: float | None = None) -> bool:
                clock.now += (timeout or 0) + clock.late
                return False

        self.Event, self.Lock = Event, threading.Lock

    def monotonic(self) -> float:
        return self.now

    def take(self, bucket: Pace, count: int) -> list[float]:
        times = []
        for _ in range(count):
            bucket.wait()
            times.append(self.now)
        return times


@pytest.fixture
def clock(monkeypatch) -> Clock:
    """The clock of the pace."""
    made = Clock()
    monkeypatch.setattr(pace, "time", made)
    monkeypatch.setattr(pace, "threading", made)
    return made


class HandClock:
    """A clock that only the test moves, for callers in threads; it counts how often the first in the line looks."""

    def __init__(self) -> None:
        self.now, self.looks = 0.0, 0

    def monotonic(self) -> float:
        self.looks += 1
        return self.now

    def wait_for_looks(self) -> None:
        """Wait until who is first in the line has looked again and again."""
        enough = self.looks + 5
        wait_until(lambda: self.looks >= enough)


@pytest.fixture
def hand_clock(monkeypatch) -> HandClock:
    """The clock of the pace, which the test moves; times and paces are powers of two, so that sums are exact."""
    made = HandClock()
    monkeypatch.setattr(pace, "time", made)
    return made


class Callers:
    """Threads that take tokens; each notes its number for every token it got."""

    def __init__(self, pool: ThreadPoolExecutor, bucket: Pace) -> None:
        self.pool, self.bucket = pool, bucket
        self.taken: list[int] = []
        self.ended = threading.Event()
        self.runs: list[Future[None]] = []

    def take(self, count: int) -> None:
        """Let one caller more take so many, and wait until it is in the line."""
        number, before = len(self.runs), self.bucket.state()[0]
        self.runs.append(self.pool.submit(self._take, number, count))
        wait_until(lambda: self.bucket.state()[0] == before + 1)

    def _take(self, number: int, count: int) -> None:
        for _ in range(count):
            self.bucket.wait(self.ended.is_set)
            self.taken.append(number)

    def have(self, count: int) -> None:
        """Wait until they have got so many; it is an error when they have more."""
        wait_until(lambda: len(self.taken) >= count)
        assert len(self.taken) == count

    def end(self) -> None:
        self.ended.set()
        for run in self.runs:
            with contextlib.suppress(Cancelled):
                run.result(LIMIT_SECONDS)


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
