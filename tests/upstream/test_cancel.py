"""A cancelled call ends soon, whatever it waits for: each would take 20 s or more."""

import threading
import time

import pytest

from app.upstream import Cancelled

CANCEL_AFTER, WITHIN = 0.4, 10


def assert_ends(client, prompt: str, cancelled) -> None:
    began = time.monotonic()
    with pytest.raises(Cancelled):
        client.complete(prompt, cancelled=cancelled)
    assert CANCEL_AFTER - 0.1 < time.monotonic() - began < CANCEL_AFTER + WITHIN


def test_before_it_starts_nothing_is_asked(fake, client_for) -> None:
    with pytest.raises(Cancelled):
        client_for(fake.url).complete("hello", cancelled=lambda: True)
    assert fake.stats()["requests"] == 0


def test_while_it_waits_for_a_slot(fake, client_for, cancel_after, in_threads) -> None:
    client = client_for(fake.url, upstream_max_concurrent_requests=1)
    done = threading.Event()
    holding = in_threads.submit(client.complete, "[slow]", cancelled=done.is_set)
    fake.wait_for(lambda stats: stats["requests"] == 1)
    assert_ends(client, "second", cancel_after(CANCEL_AFTER))
    done.set()
    with pytest.raises(Cancelled):
        holding.result()
    assert fake.stats()["prompts"] == ["[slow]"]


def test_while_it_waits_for_its_turn(fake, client_for, cancel_after) -> None:
    client = client_for(fake.url, upstream_requests_per_second=0.05)
    client.complete("first")
    assert_ends(client, "second", cancel_after(CANCEL_AFTER))
    assert fake.stats()["prompts"] == ["first"]


def test_while_all_are_paused(fake, client_for, cancel_after) -> None:
    client = client_for(fake.url, upstream_max_retries=1)
    assert_ends(client, "[429x9]", cancel_after(CANCEL_AFTER))


def test_while_it_backs_off(fake, client_for, cancel_after, monkeypatch) -> None:
    monkeypatch.setattr("app.upstream.client.backoff_seconds", lambda attempt: 20)
    assert_ends(client_for(fake.url), "[500]", cancel_after(CANCEL_AFTER))
    assert fake.stats()["requests"] == 1


@pytest.mark.parametrize("prompt", ["[slow]", "[drip]"])
def test_while_the_answer_is_awaited(fake, client_for, cancel_after, prompt: str) -> None:
    client = client_for(fake.url, upstream_timeout_seconds=30, upstream_max_concurrent_requests=1)
    assert_ends(client, prompt, cancel_after(CANCEL_AFTER))
    assert client.complete("the next call finds its slot and a sound connection").attempts == 1
