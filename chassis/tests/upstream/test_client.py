"""Calls that go well: their answers, pace, limit, connections and key."""

import threading
import time
from pathlib import Path

import pytest
from prometheus_client import REGISTRY

from chassis.tests.patience import LIMIT_SECONDS, wait_until
from chassis.upstream import Cancelled, UpstreamClient


class Held:
    """Calls that the API does not answer, until the test lets go of them."""

    def __init__(self, in_threads, client, count: int) -> None:
        self.end = threading.Event()
        self.runs = [in_threads.submit(client.complete, f"[slow] {n}", cancelled=self.end.is_set) for n in range(count)]

    def __enter__(self) -> "Held":
        return self

    def __exit__(self, *error: object) -> None:
        self.end.set()
        for run in self.runs:
            with pytest.raises(Cancelled):
                run.result(LIMIT_SECONDS)


def test_a_prompt_is_answered(fake, client_for) -> None:
    done = client_for(fake.url).complete("two words")
    assert (done.text, done.model, done.attempts) == ("echo: two words", "test/model", 1)
    assert (done.prompt_tokens, done.completion_tokens) == (2, 3)


def test_text_of_any_script_and_length_comes_through(fake, client_for) -> None:
    prompt = "Straße 細菌 🦠 " + "long " * 100_000
    assert client_for(fake.url).complete(prompt).text == "echo: " + prompt


def test_a_client_without_settings_says_so() -> None:
    with pytest.raises(RuntimeError, match="configure"):
        UpstreamClient().complete("too early")


def test_calls_start_at_the_pace_and_stay_under_the_limit(start_fake, client_for, in_threads) -> None:
    fake = start_fake("--latency", "0.1")
    client = client_for(fake.url, upstream_requests_per_second=50, upstream_max_concurrent_requests=20)
    began = time.monotonic()
    runs = [in_threads.submit(client.complete, f"row {n}") for n in range(100)]
    assert [run.result().text for run in runs] == [f"echo: row {n}" for n in range(100)]
    stats = fake.stats()
    assert stats["starts"][-1] - began > 1.8
    assert stats["max_in_flight"] <= 20


def test_the_limit_of_calls_under_way_is_used_and_never_exceeded(start_fake, client_for, in_threads) -> None:
    fake = start_fake("--latency", "0.1")
    client = client_for(fake.url, upstream_max_concurrent_requests=5)
    with Held(in_threads, client, 8):
        fake.wait_for(lambda stats: stats["in_flight"] == 5)
        wait_until(lambda: client.state()["waiting"] == 3)
    fake.wait_for(lambda stats: stats["in_flight"] == 0)
    for run in [in_threads.submit(client.complete, f"row {n}") for n in range(40)]:
        run.result()
    assert fake.stats()["max_in_flight"] == 5


def test_connections_are_used_again(fake, client_for, in_threads) -> None:
    client = client_for(fake.url, upstream_max_concurrent_requests=4)
    for run in [in_threads.submit(client.complete, f"[400x1] {n}") for n in range(20)]:
        with pytest.raises(Exception, match="400"):
            run.result()
    for run in [in_threads.submit(client.complete, f"row {n}") for n in range(60)]:
        run.result()
    assert fake.stats()["connections"] <= 4


def test_a_new_key_and_model_serve_from_the_next_call_over_the_same_connection(fake, client_for, settings_for) -> None:
    client = client_for(fake.url, openrouter_api_key="first-key")
    client.complete("one")
    client.configure(settings_for(fake.url, openrouter_api_key="second-key", upstream_model="new/model"))
    assert client.complete("two").model == "new/model"
    stats = fake.stats()
    assert stats["keys"] == ["first-key", "second-key"]
    assert stats["connections"] == 1


def test_a_retry_already_uses_the_new_key(fake, client_for, settings_for, in_threads) -> None:
    client = client_for(fake.url, openrouter_api_key="first-key")
    run = in_threads.submit(client.complete, "[429] rotate")
    fake.wait_for(lambda stats: stats["requests"] == 1)
    client.configure(settings_for(fake.url, openrouter_api_key="second-key"))
    run.result()
    assert fake.stats()["keys"] == ["first-key", "second-key"]


def test_new_limits_take_over_while_calls_are_under_way(start_fake, client_for, settings_for, in_threads) -> None:
    fake = start_fake("--latency", "0.2")
    client = client_for(fake.url, upstream_max_concurrent_requests=2)
    runs = [in_threads.submit(client.complete, f"row {n}") for n in range(30)]
    fake.wait_for(lambda stats: stats["requests"] >= 2)
    client.configure(settings_for(fake.url, upstream_max_concurrent_requests=10))
    for run in runs:
        run.result()
    assert fake.stats()["max_in_flight"] <= 10


def test_calls_that_wait_begin_at_a_higher_limit_and_no_more_of_them(fake, client_for, settings_for, in_threads):
    client = client_for(fake.url, upstream_max_concurrent_requests=2)
    with Held(in_threads, client, 30):
        fake.wait_for(lambda stats: stats["in_flight"] == 2)
        client.configure(settings_for(fake.url, upstream_max_concurrent_requests=10))
        fake.wait_for(lambda stats: stats["in_flight"] == 10)
        assert wait_until(lambda: client.state()["waiting"]) == 20
    assert fake.wait_for(lambda stats: stats["in_flight"] == 0)["max_in_flight"] == 10


def test_a_netrc_file_does_not_replace_the_key(fake, client_for, tmp_path: Path, monkeypatch) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password else\n")
    monkeypatch.setenv("NETRC", str(netrc))
    client_for(fake.url, openrouter_api_key="the-key").complete("with")
    client_for(fake.url).complete("without")
    assert fake.stats()["keys"] == ["the-key", ""]


def test_tls_works_and_its_calls_end_when_cancelled(
    start_fake, client_for, certificate, ends_when_cancelled, monkeypatch
) -> None:
    fake = start_fake("--certificate", str(certificate))
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
    client = client_for(fake.url)
    assert client.complete("hello").text == "echo: hello"
    ends_when_cancelled(
        lambda cancelled: client.complete("[slow]", cancelled=cancelled), lambda: fake.stats()["in_flight"] == 1
    )


def test_metrics_count_every_attempt(fake, client_for) -> None:
    def calls(outcome: str) -> float:
        return REGISTRY.get_sample_value("upstream_calls_total", {"outcome": outcome}) or 0

    def value(name: str) -> float:
        return REGISTRY.get_sample_value(name) or 0

    names = ["upstream_retries_total", "upstream_rate_limited_total", "upstream_call_duration_seconds_count"]
    before = [calls("ok"), calls("rate_limited"), *map(value, names)]
    client_for(fake.url).complete("[429] counted")
    after = [calls("ok"), calls("rate_limited"), *map(value, names)]
    assert [a - b for a, b in zip(after, before, strict=True)] == [1, 1, 1, 1, 2]
    assert value("upstream_calls_in_flight") == 0
