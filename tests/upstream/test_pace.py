"""The pace is kept, in order, and waiting for it can be ended."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest

from app.upstream import Cancelled, pace
from app.upstream.pace import Pace


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


def late_event(seconds: list[float]) -> type[threading.Event]:
    """Make an Event whose waits overshoot: by the given times one after the other, then by the last."""

    class LateEvent(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            found = super().wait(timeout)
            time.sleep(seconds.pop(0) if len(seconds) > 1 else seconds[0])
            return found

    return LateEvent


def take(bucket: Pace, count: int) -> list[float]:
    times = []
    for _ in range(count):
        bucket.wait()
        times.append(time.monotonic())
    return times


def test_tokens_come_at_the_pace_though_every_sleep_overshoots(clock: Clock) -> None:
    clock.late = 0.012
    times = clock.take(Pace(50), 101)
    assert 1.98 < times[-1] - times[0] < 2.02


def test_threads_share_one_pace(in_threads: ThreadPoolExecutor) -> None:
    bucket = Pace(200)
    runs = [in_threads.submit(take, bucket, 20) for _ in range(20)]
    times = sorted(moment for run in runs for moment in run.result())
    assert times[-1] - times[0] > 1.9
    for first, later in zip(times, times[100:], strict=False):
        assert later - first > 0.4, "more than twice the pace within half a second"


def test_who_comes_first_is_served_first(in_threads: ThreadPoolExecutor) -> None:
    bucket, order = Pace(20), []

    def come(number: int) -> None:
        bucket.wait()
        order.append(number)

    runs = []
    for number in range(12):
        runs.append(in_threads.submit(come, number))
        time.sleep(0.01)
    for run in runs:
        run.result()
    assert order == list(range(12))


def test_two_groups_get_their_shares(in_threads: ThreadPoolExecutor) -> None:
    bucket, end, counts = Pace(200), time.monotonic() + 1, {"few": 0, "many": 0}

    def work(group: str) -> int:
        taken = 0
        while time.monotonic() < end:
            bucket.wait()
            taken += 1
        counts[group] += taken
        return taken

    groups = ["few"] * 5 + ["many"] * 15
    taken = [run.result() for run in [in_threads.submit(work, group) for group in groups]]
    assert max(taken) - min(taken) <= 8, "each of 20 callers should get about 10 of 200 tokens"
    assert 1.5 < counts["many"] / counts["few"] < 6


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


def test_a_long_stall_does_not_end_in_a_burst(monkeypatch, in_threads: ThreadPoolExecutor) -> None:
    late = SimpleNamespace(Lock=threading.Lock, Event=late_event([0.5, 0.0]))
    monkeypatch.setattr(pace, "threading", late)
    bucket = Pace(100)
    runs = [in_threads.submit(take, bucket, 20) for _ in range(5)]
    times = sorted(moment for run in runs for moment in run.result())
    stalled = max(range(1, 100), key=lambda i: times[i] - times[i - 1])
    assert times[stalled] - times[stalled - 1] > 0.3
    soon = [moment for moment in times[stalled:] if moment - times[stalled] < 0.1]
    assert len(soon) < 25, "0.05 s worth of tokens may be made up for, not the whole stall"


def test_a_cancelled_waiter_stops_at_once_and_takes_no_token_with_it(in_threads, cancel_after) -> None:
    bucket = Pace(0.4)
    bucket.wait()
    began = time.monotonic()
    leaving = [in_threads.submit(bucket.wait, cancel_after(0.3)) for _ in range(5)]
    time.sleep(0.1)
    staying = in_threads.submit(bucket.wait)
    for run in leaving:
        with pytest.raises(Cancelled):
            run.result()
    assert time.monotonic() - began < 2.3, "they left when a token came and not when they were cancelled"
    staying.result()
    assert 2.3 < time.monotonic() - began < 9, "five tokens of those who left would be 12.5 s"


def test_a_pause_holds_everybody(in_threads: ThreadPoolExecutor) -> None:
    bucket = Pace(1000)
    bucket.pause(0.6)
    bucket.pause(0.1)
    began = time.monotonic()
    for run in [in_threads.submit(take, bucket, 1) for _ in range(10)]:
        assert run.result()[0] - began > 0.55


def test_a_pause_reaches_those_who_wait_already(in_threads: ThreadPoolExecutor) -> None:
    bucket = Pace(5)
    bucket.wait()
    began = time.monotonic()
    waiting = in_threads.submit(take, bucket, 1)
    time.sleep(0.05)
    bucket.pause(0.6)
    assert waiting.result()[0] - began > 0.6


def test_a_faster_pace_reaches_those_who_wait_already(in_threads: ThreadPoolExecutor) -> None:
    bucket = Pace(0.05)
    bucket.wait()
    began = time.monotonic()
    waiting = in_threads.submit(take, bucket, 5)
    time.sleep(0.1)
    bucket.configure(100)
    assert waiting.result()[-1] - began < 15  # 20 s for one at the old pace
