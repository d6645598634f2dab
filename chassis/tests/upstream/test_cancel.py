"""A cancelled call ends, whatever it waits for: nothing else would end it within the limit of the tests."""

import threading

import pytest

from chassis.tests.patience import LIMIT_SECONDS
from chassis.upstream import Cancelled
from chassis.upstream.pace import Pace


@pytest.fixture
def ends(ends_when_cancelled):
    """Check that a call with that prompt ends when it is cancelled in the wait that is meant."""

    def check(client, prompt: str, waits) -> None:
        ends_when_cancelled(lambda cancelled: client.complete(prompt, cancelled=cancelled), waits)

    return check


def test_before_it_starts_nothing_is_asked(fake, client_for) -> None:
    with pytest.raises(Cancelled):
        client_for(fake.url).complete("hello", cancelled=lambda: True)
    assert fake.stats()["requests"] == 0


def test_while_it_waits_for_a_slot(fake, client_for, ends, in_threads) -> None:
    client = client_for(fake.url, upstream_max_concurrent_requests=1)
    done = threading.Event()
    holding = in_threads.submit(client.complete, "[slow]", cancelled=done.is_set)
    fake.wait_for(lambda stats: stats["requests"] == 1)
    ends(client, "second", lambda: client.state()["waiting"] == 1)
    assert not holding.done()
    done.set()
    with pytest.raises(Cancelled):
        holding.result(LIMIT_SECONDS)
    assert fake.stats()["prompts"] == ["[slow]"]


def test_while_it_waits_for_its_turn(fake, client_for, ends) -> None:
    client = client_for(fake.url, upstream_requests_per_second=0.001)
    client.complete("first")
    ends(client, "second", lambda: client.state()["waiting"] == 1)
    assert fake.stats()["prompts"] == ["first"]


def test_while_all_are_paused(fake, client_for, ends, monkeypatch) -> None:
    pause = Pace.pause
    monkeypatch.setattr(Pace, "pause", lambda pace, seconds: pause(pace, seconds * 1000))
    monkeypatch.setattr("chassis.upstream.client.backoff_seconds", lambda attempt: 0)
    client = client_for(fake.url, upstream_max_retries=1)
    ends(client, "[429x9]", lambda: client.state()["paused_seconds"] and client.state()["waiting"])
    assert fake.stats()["requests"] == 1


def test_while_it_backs_off(fake, client_for, ends, monkeypatch) -> None:
    backs_off = threading.Event()

    def backoff_seconds(attempt: int) -> float:
        backs_off.set()
        return 10 * LIMIT_SECONDS

    monkeypatch.setattr("chassis.upstream.client.backoff_seconds", backoff_seconds)
    ends(client_for(fake.url), "[500]", backs_off.is_set)
    assert fake.stats()["requests"] == 1


@pytest.mark.parametrize("prompt", ["[slow]", "[drip]"])
def test_while_the_answer_is_awaited(fake, client_for, ends, prompt: str) -> None:
    client = client_for(fake.url, upstream_max_concurrent_requests=1)
    ends(client, prompt, lambda: fake.stats()["requests"] == 1)
    assert client.complete("the next call finds its slot and a sound connection").attempts == 1
