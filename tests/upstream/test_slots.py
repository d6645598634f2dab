"""The limit of calls under way holds, may change, and waiting for it can be ended."""

import threading
import time

import pytest

from app.upstream import Cancelled
from app.upstream.slots import Slots


class Room:
    """Counts who is inside at once."""

    def __init__(self, slots: Slots) -> None:
        self.slots, self.lock, self.inside, self.most = slots, threading.Lock(), 0, 0

    def visit(self, seconds: float) -> None:
        with self.slots.hold():
            with self.lock:
                self.inside += 1
                self.most = max(self.most, self.inside)
            time.sleep(seconds)
            with self.lock:
                self.inside -= 1


def test_no_more_than_the_limit_are_inside_and_the_limit_is_used(in_threads) -> None:
    room = Room(Slots(4))
    for run in [in_threads.submit(room.visit, 0.02) for _ in range(40)]:
        run.result()
    assert room.most == 4


def test_a_higher_limit_lets_the_waiting_in_at_once(in_threads) -> None:
    room = Room(Slots(1))
    with room.slots.hold():
        waiting = in_threads.submit(room.visit, 0)
        time.sleep(0.1)
        assert not waiting.done()
        room.slots.resize(2)
        waiting.result(timeout=20)


def test_a_lower_limit_holds_from_then_on(in_threads) -> None:
    room = Room(Slots(6))
    runs = [in_threads.submit(room.visit, 0.1) for _ in range(6)]
    time.sleep(0.03)
    room.slots.resize(2)
    for run in runs:
        run.result()
    room.most = 0
    for run in [in_threads.submit(room.visit, 0.02) for _ in range(10)]:
        run.result()
    assert room.most == 2


def test_a_slot_comes_back_from_a_call_that_failed() -> None:
    slots = Slots(1)
    with pytest.raises(ZeroDivisionError), slots.hold():
        1 / 0
    with slots.hold():
        pass


def test_a_cancelled_waiter_leaves_the_line(in_threads, cancel_after) -> None:
    slots = Slots(1)

    def enter(cancelled) -> None:
        with slots.hold(cancelled):
            pass

    with slots.hold(), pytest.raises(Cancelled):
        in_threads.submit(enter, cancel_after(0.2)).result(timeout=20)
    with slots.hold():
        pass
