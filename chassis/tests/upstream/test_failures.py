"""Calls that go wrong: what is tried again, what is not, and what the error says."""

import socket
import threading
import time
import traceback

import pytest

from chassis.tests.patience import LIMIT_SECONDS, wait_until
from chassis.upstream import UpstreamError

KEY = "sk-or-v1-0123456789abcdef"


def failed(client, prompt: str) -> UpstreamError:
    with pytest.raises(UpstreamError) as caught:
        client.complete(prompt)
    return caught.value


@pytest.mark.parametrize(
    ("prompt", "attempts"), [("[500x2]", 3), ("[503x1]", 2), ("[408x1]", 2), ("[reset]", 2), ("[error502]", 2)]
)
def test_a_passing_failure_is_tried_again(fake, client_for, prompt: str, attempts: int) -> None:
    done = client_for(fake.url).complete(prompt)
    assert (done.text, done.attempts) == (f"echo: {prompt}", attempts)
    assert fake.stats()["requests"] == attempts


@pytest.mark.parametrize(
    ("prompt", "code"),
    [
        ("[400]", "upstream_rejected"),
        ("[402]", "upstream_no_credit"),
        ("[404]", "upstream_not_found"),
        ("[401]", "upstream_unauthorized"),
        ("[403]", "upstream_unauthorized"),
        ("[malformed]", "upstream_malformed"),
        ("[empty]", "upstream_malformed"),
        ("[redirect]", "upstream_not_found"),
    ],
)
def test_a_lasting_failure_is_not_tried_again(fake, client_for, prompt: str, code: str) -> None:
    error = failed(client_for(fake.url), prompt)
    assert (error.code, error.attempts) == (code, 1)
    assert fake.stats()["requests"] == 1


@pytest.mark.parametrize(("prompt", "code"), [("[500]", "upstream_unavailable"), ("[429x9]", "upstream_rate_limited")])
def test_after_the_last_retry_the_error_comes_out(fake, client_for, prompt: str, code: str) -> None:
    error = failed(client_for(fake.url, upstream_max_retries=1), prompt)
    assert (error.code, error.attempts) == (code, 2)
    assert fake.stats()["requests"] == 2


def test_no_retries_means_one_attempt(fake, client_for) -> None:
    assert failed(client_for(fake.url, upstream_max_retries=0), "[500]").attempts == 1


def test_every_attempt_takes_a_token(fake, client_for) -> None:
    began = time.monotonic()
    client_for(fake.url, upstream_requests_per_second=1).complete("[500x1] paced")
    assert fake.stats()["starts"][1] - began > 0.9


def test_a_rate_limit_pauses_all_callers_for_as_long_as_it_says(fake, client_for, in_threads) -> None:
    client = client_for(fake.url)
    limited = in_threads.submit(client.complete, "[429]")
    wait_until(lambda: client.state()["paused_seconds"] or limited.done())
    others = [in_threads.submit(client.complete, f"other {n}") for n in range(10)]
    assert limited.result().attempts == 2
    assert all(run.result().attempts == 1 for run in others)
    starts = fake.stats()["starts"]
    assert starts[1] - starts[0] > 0.95


def test_a_call_that_backs_off_holds_no_slot(fake, client_for, in_threads, monkeypatch) -> None:
    backs_off, go_on = threading.Event(), threading.Event()

    def sleep(seconds: float, cancelled: object) -> None:
        backs_off.set()
        go_on.wait(LIMIT_SECONDS)

    monkeypatch.setattr("chassis.upstream.client.sleep", sleep)
    client = client_for(fake.url, upstream_max_concurrent_requests=1)
    failing = in_threads.submit(client.complete, "[500x1] backs off")
    assert backs_off.wait(LIMIT_SECONDS)
    client.complete("meanwhile")
    go_on.set()
    assert failing.result().attempts == 2
    assert fake.stats()["prompts"] == ["[500x1] backs off", "meanwhile", "[500x1] backs off"]


@pytest.mark.parametrize("prompt", ["[slow]", "[drip]"])
def test_a_call_ends_at_its_deadline_also_when_the_answer_drips(fake, client_for, prompt: str) -> None:
    began = time.monotonic()
    client = client_for(fake.url, upstream_timeout_seconds=0.5, upstream_max_retries=0)
    assert failed(client, prompt).code == "upstream_timeout"
    assert time.monotonic() - began >= 0.5
    fake.wait_for(lambda stats: stats["requests"] == 1)  # also when it came after the caller had gone


def test_a_timeout_is_tried_again(fake, client_for) -> None:
    error = failed(client_for(fake.url, upstream_timeout_seconds=0.2, upstream_max_retries=1), "[slow]")
    assert (error.code, error.attempts) == ("upstream_timeout", 2)
    fake.wait_for(lambda stats: stats["requests"] == 2)


def test_a_server_that_is_not_there_is_unavailable(client_for) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound but not listening: connections are refused
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        error = failed(client_for(url, upstream_max_retries=1), "hello")
    assert (error.code, error.attempts) == ("upstream_unavailable", 2)


def test_a_wrong_base_url_names_the_variable(client_for) -> None:
    error = failed(client_for("http://[broken"), "hello")
    assert error.code == "upstream_rejected"
    assert "UPSTREAM_BASE_URL" in error.message


def test_refused_access_names_the_variable_to_check(fake, client_for) -> None:
    assert "OPENROUTER_API_KEY" in failed(client_for(fake.url), "[401]").message


@pytest.mark.parametrize("prompt", ["[leak]", "[401]", "[403]", "[500]", "[malformed]", "[reset]", "[redirect]"])
def test_the_key_is_in_no_error(fake, client_for, prompt: str) -> None:
    error = failed(client_for(fake.url, openrouter_api_key=KEY, upstream_max_retries=0), prompt)
    assert KEY not in "".join(traceback.format_exception(error))
    assert KEY not in repr(error.as_dict())
    assert fake.stats()["keys"] == [KEY], "the test is worth nothing when the key was not sent"


@pytest.mark.parametrize("key", ["sk-one\nsk-two", "sk-schlüssel", "sk-\x00"])
def test_a_key_that_no_header_can_carry_is_not_shown(fake, client_for, key: str) -> None:
    error = failed(client_for(fake.url, openrouter_api_key=key), "hello")
    assert error.code == "upstream_unauthorized"
    assert "sk-" not in "".join(traceback.format_exception(error))
    assert fake.stats()["requests"] == 0


def test_what_the_api_says_is_shortened(fake, client_for) -> None:
    message = failed(client_for(fake.url), "[leak]").message
    said = message.split("It says: ")[1]
    assert said.startswith("bad key")
    assert len(said) == 200
