"""Streams that end early: by their timeouts, by their callers, and by consumers that go away."""

import pytest
from prometheus_client import REGISTRY

from chassis.tests.patience import LIMIT_SECONDS, let_pass, wait_until
from chassis.tests.upstream.streamed import failed, received
from chassis.upstream import Cancelled

SHORT, IDLE = 0.3, 3.0


@pytest.mark.parametrize("prompt", ["[slow]", "[quiet]"])
def test_an_answer_that_does_not_begin_fails(fake, client_for, prompt: str) -> None:
    client = client_for(fake.url, upstream_first_part_timeout_seconds=SHORT, upstream_max_retries=1)
    texts, error = failed(client, prompt)
    assert (texts, error.code, error.attempts) == ([], "upstream_timeout", 2)
    assert str(error) == "The outside API did not answer within 0.3 seconds."
    fake.wait_for(lambda stats: stats["in_flight"] == 0)


def test_an_answer_that_stops_in_the_middle_fails_at_once(fake, client_for) -> None:
    texts, error = failed(client_for(fake.url, upstream_idle_timeout_seconds=SHORT), "[pause]")
    assert (texts, error.code, error.text) == (["half "], "upstream_timeout", "half ")
    assert "stopped for 0.3 seconds" in str(error)
    assert fake.wait_for(lambda stats: stats["in_flight"] == 0)["requests"] == 1


def test_an_answer_without_end_fails(fake, client_for) -> None:
    texts, error = failed(client_for(fake.url, upstream_stream_seconds=IDLE), "[forever]")
    assert texts and error.code == "upstream_timeout"
    assert "took longer than 3 seconds" in str(error)


@pytest.mark.parametrize("prompt", ["[slow]", "[quiet]", "[pause]", "[forever]"])
def test_a_cancelled_stream_ends_and_so_does_its_call(fake, client_for, ends_when_cancelled, prompt: str) -> None:
    client = client_for(fake.url, upstream_max_concurrent_requests=1)
    ends_when_cancelled(
        lambda cancelled: received(client, prompt, cancelled=cancelled), lambda: fake.stats()["in_flight"] == 1
    )
    fake.wait_for(lambda stats: stats["in_flight"] == 0)
    assert received(client, "the next call finds its slot")[1].attempts == 1


@pytest.mark.parametrize("prompt", ["[pause]", "[forever]", "[pause] [close]"])
def test_the_call_ends_with_its_consumer(fake, client_for, prompt: str) -> None:
    def cancelled() -> float:
        return REGISTRY.get_sample_value("upstream_calls_total", {"outcome": "cancelled"}) or 0

    client, before = client_for(fake.url), cancelled()
    parts = client.stream(prompt)
    assert next(parts).text
    assert (fake.stats()["in_flight"], client.state()["in_flight"]) == (1, 1)
    parts.close()
    assert (client.state()["in_flight"], cancelled()) == (0, before + 1)
    fake.wait_for(lambda stats: stats["in_flight"] == 0)


def test_the_call_ends_with_a_consumer_that_fails(fake, client_for) -> None:
    client = client_for(fake.url)
    with pytest.raises(ZeroDivisionError):
        for _ in client.stream("[pause]"):
            1 / 0
    assert client.state()["in_flight"] == 0
    fake.wait_for(lambda stats: stats["in_flight"] == 0)


def test_a_slow_consumer_is_not_the_apis_fault(fake, client_for) -> None:
    """The time that the consumer takes does not count as a pause of the API."""
    parts = client_for(fake.url, upstream_idle_timeout_seconds=IDLE).stream("one two three")
    texts = [next(parts).text]
    let_pass(IDLE * 1.1)
    texts += [part.text for part in parts]
    assert "".join(texts) == "echo: one two three"


def test_streams_share_the_slots_of_all_calls(fake, client_for, in_threads) -> None:
    client = client_for(fake.url, upstream_max_concurrent_requests=1)
    parts = client.stream("[pause]")
    next(parts)
    call = in_threads.submit(client.complete, "waits")
    wait_until(lambda: client.state()["waiting"] == 1)
    parts.close()
    assert call.result(LIMIT_SECONDS).attempts == 1


def test_a_stream_waits_for_its_turn_and_can_be_cancelled_there(fake, client_for, ends_when_cancelled) -> None:
    client = client_for(fake.url, upstream_requests_per_second=0.001)
    received(client, "first")
    ends_when_cancelled(
        lambda cancelled: received(client, "second", cancelled=cancelled), lambda: client.state()["waiting"] == 1
    )
    assert fake.stats()["prompts"] == ["first"]


def test_a_backend_that_dies_fails_all_its_streams(start_fake, client_for, in_threads) -> None:
    fake = start_fake()
    client = client_for(fake.url)
    runs = [in_threads.submit(failed, client, f"[pause] {number}") for number in range(50)]
    fake.wait_for(lambda stats: stats["in_flight"] == 50)
    wait_until(lambda: client.state()["in_flight"] == 50)
    fake.process.kill()
    ends = [run.result(LIMIT_SECONDS) for run in runs]
    assert {(tuple(texts), error.code) for texts, error in ends} == {(("half ",), "upstream_unavailable")}
    assert {error.text for _, error in ends} == {"half "}


def test_cancelled_before_it_starts_nothing_is_asked(fake, client_for) -> None:
    with pytest.raises(Cancelled):
        received(client_for(fake.url), "hello", cancelled=lambda: True)
    assert fake.stats()["requests"] == 0
