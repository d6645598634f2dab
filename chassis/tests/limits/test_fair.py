"""The fair queue: turns among keys, its bounds and its deadline."""

import contextlib
import threading
from types import SimpleNamespace

import pytest

from chassis.errors import TooManyRequests, Unavailable
from chassis.limits import FairQueue, fair
from chassis.tests.patience import LIMIT_SECONDS, wait_until


class Places:
    """A queue for one place, and the order in which it was given."""

    def __init__(self, **options):
        self.free, self.order = 1, []
        self.queue = FairQueue(**{"seconds": LIMIT_SECONDS, "per_key": 5, "most": 9, **options})

    def offer(self):
        if not self.free:
            return None
        self.free -= 1
        return "place"

    def take(self, key):
        self.queue.take(key, self.offer, lambda: None)
        self.order.append(key)

    def give_back(self):
        self.queue.freed(lambda: setattr(self, "free", self.free + 1))

    def wait(self, key):
        """Let a key wait in a thread."""
        before = len(self.queue)
        threading.Thread(target=self.take, args=(key,), daemon=True).start()
        wait_until(lambda: len(self.queue) > before)


def test_however_many_wait_they_are_offered_something_once_in_a_while(monkeypatch):
    now, offers, looks = SimpleNamespace(seconds=1000.0), [], []
    monkeypatch.setattr(fair, "time", SimpleNamespace(monotonic=lambda: now.seconds))
    queue = FairQueue(seconds=60, per_key=9, most=9)

    def wait():
        with contextlib.suppress(Unavailable):
            queue.take("a", lambda: offers.append(1), lambda: looks.append(1))

    def look():
        until = len(looks) + 30
        wait_until(lambda: len(looks) >= until)
        return len(offers)

    threads = [threading.Thread(target=wait, daemon=True) for _ in range(9)]
    for thread in threads:
        thread.start()
    wait_until(lambda: len(queue) == 9)
    before = look()
    assert look() == before
    now.seconds += 0.1
    assert (look(), look()) == (before + 9, before + 9)
    now.seconds += 60
    for thread in threads:
        thread.join(LIMIT_SECONDS)
    assert len(queue) == 0


def test_keys_take_turns():
    places = Places()
    places.take("a")
    for key in ("a", "a", "a", "b"):
        places.wait(key)
    for count in range(2, 6):
        places.give_back()
        wait_until(lambda wanted=count: len(places.order) == wanted)
    assert places.order[:3] == ["a", "a", "b"]
    assert len(places.queue) == 0


def test_a_key_fills_its_own_line_and_all_keys_the_queue():
    places = Places(per_key=1, most=2)
    places.take("a")
    places.wait("a")
    with pytest.raises(TooManyRequests):
        places.take("a")
    places.wait("b")
    with pytest.raises(TooManyRequests):
        places.take("c")


def test_nobody_waits_past_the_deadline_or_when_it_is_no_use():
    places = Places(seconds=0)
    places.take("a")
    with pytest.raises(Unavailable) as busy:
        places.take("a")
    assert busy.value.code == "busy"
    with pytest.raises(KeyError):
        places.queue.take("a", places.offer, lambda: {}["no use"])
    assert len(places.queue) == 0
