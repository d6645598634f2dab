"""The limit of calls under way holds, may change, and waiting for it can be ended."""

import threading

import pytest

from chassis.limits.machine import Machine, Master
from chassis.tests.patience import LIMIT_SECONDS, wait_until
from chassis.upstream.slots import Slots


class Room:
    """Counts who is inside at once; who is stays until the test lets one leave."""

    def __init__(self, slots: Slots) -> None:
        self.slots, self.lock, self.inside, self.most = slots, threading.Lock(), 0, 0
        self.leave = threading.Semaphore(0)

    def visit(self) -> None:
        with self.slots.hold():
            with self.lock:
                self.inside += 1
                self.most = max(self.most, self.inside)
            self.leave.acquire(timeout=LIMIT_SECONDS)
            with self.lock:
                self.inside -= 1

    def wait_for(self, taken: int, limit: int, waiting: int) -> None:
        """Wait until so many are inside, and so many in front of the door."""
        wait_until(lambda: (self.inside, *self.slots.counts()) == (taken, taken, limit, waiting))


def test_no_more_than_the_limit_are_inside_and_the_limit_is_used(in_threads) -> None:
    room = Room(Slots(4))
    runs = [in_threads.submit(room.visit) for _ in range(40)]
    room.wait_for(4, 4, waiting=36)
    room.leave.release(40)
    for run in runs:
        run.result(LIMIT_SECONDS)
    assert room.most == 4


def test_a_higher_limit_lets_the_waiting_in_at_once(in_threads) -> None:
    room = Room(Slots(1))
    with room.slots.hold():
        waiting = in_threads.submit(room.visit)
        wait_until(lambda: room.slots.counts() == (1, 1, 1))
        assert not waiting.done()
        assert room.inside == 0
        room.slots.resize(2)
        room.leave.release()
        waiting.result(LIMIT_SECONDS)


def test_a_lower_limit_holds_from_then_on(in_threads) -> None:
    room = Room(Slots(6))
    runs = [in_threads.submit(room.visit) for _ in range(6)]
    room.wait_for(6, 6, waiting=0)
    room.slots.resize(2)
    runs += [in_threads.submit(room.visit) for _ in range(10)]
    room.wait_for(6, 2, waiting=10)
    room.leave.release(4)
    room.wait_for(2, 2, waiting=10)
    room.most = 0
    room.leave.release(2)
    room.wait_for(2, 2, waiting=8)
    room.leave.release(10)
    for run in runs:
        run.result(LIMIT_SECONDS)
    assert room.most == 2


def test_a_slot_comes_back_from_a_call_that_failed() -> None:
    slots = Slots(1)
    with pytest.raises(ZeroDivisionError), slots.hold():
        1 / 0
    with slots.hold():
        pass


def test_a_cancelled_waiter_leaves_the_line(ends_when_cancelled) -> None:
    slots = Slots(1)

    def enter(cancelled) -> None:
        with slots.hold(cancelled):
            pass

    with slots.hold():
        ends_when_cancelled(enter, lambda: slots.counts() == (1, 1, 1))
    with slots.hold():
        pass


def test_workers_share_the_slots_and_each_gets_its_part(in_threads) -> None:
    master, rooms = Master(100, 2), [Room(Slots(4)), Room(Slots(4))]
    for number, room in enumerate(rooms):
        ticket = master.admit(number)
        assert ticket is not None
        room.slots.share(Machine(ticket).calls)
    one, two = rooms
    runs = [in_threads.submit(one.visit) for _ in range(8)]
    one.wait_for(4, 4, waiting=4)
    runs += [in_threads.submit(two.visit) for _ in range(8)]
    two.wait_for(0, 4, waiting=8)
    one.leave.release(2)
    two.wait_for(2, 4, waiting=6)
    one.wait_for(2, 4, waiting=4)
    for room in rooms:
        room.leave.release(8)
    for run in runs:
        run.result(LIMIT_SECONDS)
    assert [room.slots.counts() for room in rooms] == [(0, 4, 0)] * 2
