"""Details of jobs go out at once after a quiet moment, and at most ten times a second for each job."""

from collections import OrderedDict
from types import SimpleNamespace

import pytest

from chassis.realtime import publisher

NEVER = float("inf")


@pytest.fixture
def world(monkeypatch):
    """A publisher with a clock of its own: `change(job)` adds news, `send()` sends some, `sent` is what went out."""
    now, news = SimpleNamespace(seconds=1000.0), dict[str, int]()
    sent, read = list[tuple[str, int]](), list[str]()

    def source(job_id):
        read.append(job_id)
        count = news.pop(job_id, 0)
        return {"count": count} if count else None

    def change(job_id):
        news[job_id] = news.get(job_id, 0) + 1
        publisher._pending[job_id] = "kind"

    def deliver(room, event, data):
        sent.append((room, data["count"]))

    def send(until=NEVER):
        return publisher.send_some(until)

    monkeypatch.setattr(publisher, "time", SimpleNamespace(monotonic=lambda: now.seconds))
    monkeypatch.setattr(publisher, "_pending", OrderedDict())
    monkeypatch.setattr(publisher, "_sent_at", OrderedDict())
    monkeypatch.setattr(publisher, "_sources", {"kind": ("news", source)})
    monkeypatch.setattr(publisher, "recovery", SimpleNamespace(speaks=lambda: True, deliver=deliver))
    return SimpleNamespace(now=now, change=change, send=send, sent=sent, read=read)


def test_the_first_change_goes_out_at_once_and_the_next_ones_together(world):
    world.change("a")
    assert world.send() == pytest.approx(0.1)
    assert world.sent == [("job:a", 1)]
    for _ in range(5):
        world.now.seconds += 0.015
        world.change("a")
        assert 0 < world.send() < 0.1
    assert (world.sent, world.read) == ([("job:a", 1)], ["a"])
    world.now.seconds += 0.03
    world.send()
    assert world.sent == [("job:a", 1), ("job:a", 5)]


def test_a_job_that_changes_often_does_not_hold_up_another_one(world):
    world.change("a")
    world.send()
    world.change("a")
    world.change("b")
    world.send()
    assert world.sent == [("job:a", 1), ("job:b", 1)]


def test_what_finds_no_time_is_sent_next_and_without_news_nothing_waits(world):
    for job in "abc":
        world.change(job)
    assert world.send(until=0.0) == 0
    assert world.sent == [("job:a", 1)]
    world.send()
    assert world.sent == [("job:a", 1), ("job:b", 1), ("job:c", 1)]
    world.now.seconds += 1
    assert world.send() == publisher.IDLE_SECONDS
    assert not publisher._pending


def test_intervals_that_are_over_are_forgotten(world):
    for number in range(100):
        world.change(f"job {number}")
        world.send()
        world.now.seconds += 1
    assert len(publisher._sent_at) <= 2
