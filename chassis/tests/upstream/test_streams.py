"""Streamed answers: what providers send in every odd form, and what becomes of it."""

import pytest
from prometheus_client import REGISTRY

from chassis.tests.upstream.streamed import failed, received
from chassis.upstream import Part, Usage


def test_the_parts_of_an_answer_come_one_by_one_and_the_last_has_the_whole(fake, client_for) -> None:
    parts = list(client_for(fake.url).stream("two words"))
    assert parts[:-1] == [Part("echo:"), Part(" two"), Part(" words")]
    done = parts[-1].done
    assert parts[-1].text == "" and done is not None
    assert (done.text, done.model, done.attempts, done.usage) == ("echo: two words", "test/model", 1, Usage(2, 3))


@pytest.mark.parametrize(
    "form", ["comments", "crlf", "cr", "empty-data", "lines", "usage-in-each", "no-done", "late-end"]
)
@pytest.mark.parametrize("frame", ["", "[close]", "[gzip]", "[untyped]"])
def test_every_form_of_a_stream_gives_the_same_answer(fake, client_for, form: str, frame: str) -> None:
    prompt = f"[{form}] {frame} words"
    texts, done = received(client_for(fake.url), prompt)
    assert "".join(texts) == done.text == f"echo: {prompt}"
    assert done.usage.completion_tokens == len(texts)


@pytest.mark.parametrize(
    ("form", "text"),
    [
        ("split", "細菌 🦠"),
        ("listed", "one two"),
        ("second-choice", "choice 0"),
        ("no-reason", "whole"),
        ("invalid", "bad �� end"),
        ("halves", "a🦠b�c�"),
    ],
)
def test_text_comes_through(fake, client_for, form: str, text: str) -> None:
    texts, done = received(client_for(fake.url), f"[{form}]")
    assert "".join(texts) == done.text == text
    assert done.repaired == (form == "halves")


def test_an_answer_in_one_piece_is_a_stream_of_one_part(fake, client_for) -> None:
    texts, done = received(client_for(fake.url), "[json] hello")
    assert (texts, done.text, done.usage) == (["echo: [json] hello"], "echo: [json] hello", Usage(2, 3))


def test_messages_model_and_parameters_are_the_callers(fake, client_for) -> None:
    messages = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "hello"}]
    client = client_for(fake.url)
    done = received(client, messages, "other/model", {"temperature": 0})[1]
    assert (done.text, done.model) == ("echo: hello", "other/model")
    assert client.complete(messages, "third/model", {"temperature": 0}).model == "third/model"
    first, second = fake.stats()["bodies"]
    assert first["messages"] == second["messages"] == messages
    assert (first["temperature"], first["stream"], first["stream_options"]) == (0, True, {"include_usage": True})
    assert "stream" not in second and second["temperature"] == 0


def test_usage_is_not_asked_for_where_the_api_rejects_it(fake, client_for) -> None:
    done = received(client_for(fake.url, upstream_stream_usage=False), "hello")[1]
    assert done.usage == Usage()
    assert "stream_options" not in fake.stats()["bodies"][0]


@pytest.mark.parametrize(
    ("form", "code"),
    [
        ("error-in-the-middle", "upstream_rate_limited"),
        ("error-event", "upstream_unavailable"),
        ("error-in-the-choice", "upstream_unavailable"),
        ("break-off", "upstream_unavailable"),
        ("break-in-an-event", "upstream_unavailable"),
        ("not-json", "upstream_malformed"),
        ("length", "upstream_cut"),
        ("content-filter", "upstream_filtered"),
    ],
)
def test_a_partial_answer_is_an_error_and_is_not_asked_for_again(fake, client_for, form: str, code: str) -> None:
    texts, error = failed(client_for(fake.url), f"[{form}]")
    assert (texts, error.code, error.text, error.attempts) == (["half "], code, "half ", 1)
    assert fake.stats()["requests"] == 1
    assert error.usage == (Usage(1, 2) if form == "length" else Usage())


def test_what_the_api_says_in_the_middle_reaches_the_caller_without_markup(fake, client_for) -> None:
    error = failed(client_for(fake.url), "[error-in-the-middle]")[1]
    assert str(error) == "The outside API is rate-limiting this service (429). It says: slow down"


@pytest.mark.parametrize("prompt", ["[error-first]", "[break-first]", "[503x1]", "[429]", "[reset]", "[error502]"])
def test_what_fails_before_the_first_part_is_tried_again(fake, client_for, prompt: str) -> None:
    texts, done = received(client_for(fake.url), prompt)
    assert ("".join(texts), done.attempts) == (f"echo: {prompt}", 2)


@pytest.mark.parametrize(
    ("prompt", "code"),
    [
        ("[400]", "upstream_rejected"),
        ("[402]", "upstream_no_credit"),
        ("[401]", "upstream_unauthorized"),
        ("[malformed]", "upstream_malformed"),
        ("[empty]", "upstream_malformed"),
        ("[no-text]", "upstream_malformed"),
        ("[refusal]", "upstream_filtered"),
        ("[many-comments] [gzip]", "upstream_too_large"),
    ],
)
def test_a_stream_that_fails_for_good_says_why(fake, client_for, prompt: str, code: str) -> None:
    texts, error = failed(client_for(fake.url), prompt)
    assert (texts, error.code, error.attempts) == ([], code, 1)


def test_a_refusal_is_told_in_its_words(fake, client_for) -> None:
    assert "I will not do that" in str(failed(client_for(fake.url), "[refusal]")[1])


@pytest.mark.parametrize("form", ["long", "large-event"])
def test_a_stream_and_its_events_are_bounded(fake, client_for, form: str) -> None:
    texts, error = failed(client_for(fake.url, upstream_max_response_bytes=1_000_000), f"[{form}]")
    assert error.code == "upstream_too_large"
    assert 0 < len("".join(texts)) <= 1_000_000
    fake.wait_for(lambda stats: stats["in_flight"] == 0)


def test_the_connection_of_an_ended_stream_is_used_again(fake, client_for) -> None:
    client = client_for(fake.url)
    for number in range(3):
        received(client, f"row {number}")
    assert fake.stats()["connections"] == 1


def test_the_providers_limits_are_metrics(fake, client_for) -> None:
    received(client_for(fake.url), "hello")
    assert REGISTRY.get_sample_value("upstream_provider_limit", {"unit": "requests"}) == 500
    assert REGISTRY.get_sample_value("upstream_provider_remaining", {"unit": "requests"}) == 499


def test_a_stream_that_nobody_reads_calls_nothing(fake, client_for) -> None:
    client_for(fake.url).stream("hello").close()
    assert fake.stats()["requests"] == 0


def test_the_key_is_not_sent_to_another_host(fake, client_for) -> None:
    assert failed(client_for(fake.url), "[redirect]")[1].code == "upstream_not_found"
