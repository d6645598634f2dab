"""The place of a stream is free again, also when it cannot be read or sent."""

import threading

import pytest
from flask import Flask

from chassis.realtime.streams import run, sender
from chassis.security import payer
from chassis.tests.patience import wait_until


@pytest.fixture(autouse=True)
def places(monkeypatch):
    """Return the places of one stream, in an application without sockets."""
    mine = run.Places()
    monkeypatch.setattr(run, "places", mine)
    monkeypatch.setattr(sender, "is_socket", lambda target: False)
    with Flask(__name__).app_context():
        yield mine


def endless(stopped):
    while not stopped():
        yield "more "


def refuse(*_given, **_options):
    raise ValueError("it cannot be written")


def only_starts(target, event, data):
    if event != "stream:start":
        refuse()


@pytest.mark.parametrize("publish", [refuse, only_starts])
def test_a_stream_that_cannot_be_sent_ends_its_source(monkeypatch, places, publish):
    monkeypatch.setattr(sender, "publish", publish)
    one = sender.Stream("room", endless, {})
    assert one.start()
    with pytest.raises(ValueError, match="it cannot be written"):
        one.send()
    assert wait_until(lambda: one.end) == run.FAULT
    assert places.enter(run.Run(endless))


def test_without_a_thread_a_stream_ends_at_once(monkeypatch, places):
    def no_thread(_self):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", no_thread)
    one = run.Run(endless)
    assert (one.start(), one.end) == (False, run.NO_PLACE)
    assert places.enter(run.Run(endless))


def test_one_caller_cannot_take_the_places_of_all_others(places):
    def run_of(key):
        with payer.paying(payer.Payer(key)):
            return run.Run(endless)

    places.configure(20)
    greedy = [run_of("key:greedy") for _ in range(21)]
    assert [places.enter(one) for one in greedy] == [True] * 20 + [False]
    assert [places.enter(run_of(f"key:{name}")) for name in ("a", "b", "c")] == [True, True, False]
    assert not places.enter(run_of("key:a"))
    for one in greedy[:2]:
        places.leave(one)
    assert not places.enter(greedy[0])
    assert places.enter(run_of("key:c"))
