"""Details of jobs go out at once after a quiet moment, and at most twenty times a second for each job."""

import threading
import time
from collections import OrderedDict
from itertools import pairwise
from types import SimpleNamespace

import pytest

from chassis.realtime import publisher
from chassis.tests.patience import LIMIT_SECONDS, wait_until

NEVER = float("inf")


@pytest.fixture
def world(monkeypatch):
    """A publisher: `change(job)` adds news, `send()` sends some, `sent` is what went out."""
    news, sent = dict[str, int](), list[tuple[str, int]]()

    def source(job_id):
        count = news.pop(job_id, 0)
        return {"count": count} if count else None

    def change(job_id):
        news[job_id] = news.get(job_id, 0) + 1
        publisher._pending[job_id] = "kind"
        publisher._changed.set()

    def deliver(room, event, data):
        sent.append((room, data["count"]))

    def send(until=NEVER):
        return publisher.send_some(until)

    monkeypatch.setattr(publisher, "_pending", OrderedDict())
    monkeypatch.setattr(publisher, "_changed", threading.Event())
    monkeypatch.setattr(publisher, "_sources", {"kind": ("news", source)})
    monkeypatch.setattr(publisher, "recovery", SimpleNamespace(speaks=lambda: True, deliver=deliver))
    return SimpleNamespace(change=change, send=send, sent=sent)


def test_changes_between_two_rounds_go_out_together(world):
    world.change("a")
    world.send()
    for _ in range(5):
        world.change("a")
    world.send()
    assert world.sent == [("job:a", 1), ("job:a", 5)]


def test_a_job_that_changes_often_does_not_hold_up_another_one(world):
    world.change("a")
    world.send()
    world.change("a")
    world.change("b")
    world.send()
    assert set(world.sent[1:]) == {("job:a", 1), ("job:b", 1)}


def test_what_finds_no_time_is_sent_next_and_without_news_nothing_waits(world):
    for job in "abc":
        world.change(job)
    world.send(until=0.0)
    assert world.sent == [("job:a", 1)]
    world.send()
    assert world.sent == [("job:a", 1), ("job:b", 1), ("job:c", 1)]
    world.send()
    assert not publisher._pending


def test_after_a_quiet_moment_a_change_goes_out_at_once_and_the_next_ones_after_a_rest(world, monkeypatch):
    monkeypatch.setattr(publisher, "IDLE_SECONDS", LIMIT_SECONDS)  # a publisher that waited for it would be seen
    rounds = list[float]()
    monkeypatch.setattr(publisher.recovery, "deliver", lambda *_: rounds.append(time.monotonic()))
    running = publisher.Publisher()
    running.start()
    for number in range(1, 6):
        world.change("a")
        wait_until(lambda number=number: len(rounds) >= number)
    running.stop()
    world.change("a")  # wakes it, so that its thread ends
    assert min(later - earlier for earlier, later in pairwise(rounds)) >= publisher.REST_SECONDS
