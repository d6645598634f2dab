"""What an answer means: how long to wait, whether it is whole, and what is told of it."""

import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from chassis.upstream import Completion, UpstreamError, answers
from chassis.upstream.refusals import pause_of, retry_after
from chassis.upstream.replies import Reply


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (None, None),
        ("", None),
        ("3", 3),
        ("0.5", 0.5),
        ("-1", 0),
        ("99999", 120),
        ("soon", None),
        ("nan", None),
        ("inf", None),
        ("-inf", None),
        ("1e999", None),
    ],
)
def test_seconds_are_bounded_and_nonsense_is_ignored(value: str | None, seconds: float | None) -> None:
    assert retry_after(value) == seconds


def test_a_date_counts_from_now() -> None:
    asked = retry_after(format_datetime(datetime.now(UTC) + timedelta(seconds=30), usegmt=True))
    assert asked is not None and 28 < asked <= 30
    assert retry_after("Wed, 21 Oct 2015 07:28:00 GMT") == 0


@pytest.mark.parametrize(
    "value", ["1 1 99999999999999999999 1:1:1", "Wed, 21 Oct 2015", "Wed, 99 Foo 9999999 99:99:99 GMT"]
)
def test_no_date_of_nonsense_is_an_exception(value: str) -> None:
    assert retry_after(value) in (None, 0, 120)


def test_milliseconds_come_first() -> None:
    assert pause_of({"retry-after-ms": "1500", "Retry-After": "9"}) == 1.5
    assert pause_of({"retry-after-ms": "soon", "Retry-After": "9"}) == 9
    assert pause_of({"retry-after-ms": "inf"}) is None


def read(body: object, status: int = 200, headers: dict[str, str] | None = None) -> Completion:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return answers.read(Reply(status, headers or {}, raw), model="test/model", attempts=1, key="sk-local-12345678")


def choice(content: object = "half a sent", **more: object) -> dict:
    return {"choices": [{"message": {"content": content}, "finish_reason": "stop", **more}]}


def refused(body: object, status: int = 200, headers: dict[str, str] | None = None) -> UpstreamError:
    with pytest.raises(UpstreamError) as raised:
        read(body, status, headers)
    return raised.value


@pytest.mark.parametrize(
    ("body", "code", "retryable"),
    [
        (choice(finish_reason="length"), "upstream_cut", False),
        (choice(native_finish_reason="MAX_TOKENS"), "upstream_cut", False),
        (choice(finish_reason="content_filter"), "upstream_filtered", False),
        (choice(finish_reason="SAFETY"), "upstream_filtered", False),
        (choice(finish_reason="error"), "upstream_unavailable", True),
        (choice(finish_reason="cancelled"), "upstream_unavailable", True),
        (choice(error={"code": 502, "message": "gone"}), "upstream_unavailable", True),
        (choice(error={"code": "429", "message": "slow"}), "upstream_rate_limited", True),
        (choice(error="it broke"), "upstream_unavailable", True),
        (choice(message={"content": None, "refusal": "I cannot."}), "upstream_filtered", False),
        ({"error": {"code": "502", "message": "gone"}, **choice()}, "upstream_unavailable", True),
        ({"error": {"message": "gone"}, **choice()}, "upstream_malformed", False),
        ({"errors": [{"message": "gone", "code": 400}]}, "upstream_rejected", False),
        ({"choices": [None]}, "upstream_malformed", False),
        ({"choices": {"0": 1}}, "upstream_malformed", False),
        ([], "upstream_malformed", False),
        (choice(content=[{"type": "image"}]), "upstream_malformed", False),
        (choice(content=" \n"), "upstream_malformed", False),
        ({"object": "error", "code": 503, "message": "busy"}, "upstream_unavailable", True),
        ({"type": "error", "message": "busy"}, "upstream_malformed", False),
    ],
)
def test_a_broken_answer_is_no_success(body: object, code: str, retryable: bool) -> None:
    error = refused(body)
    assert (error.code, error.retryable) == (code, retryable)


def test_what_came_of_a_cut_answer_is_kept() -> None:
    assert refused(choice(finish_reason="length")).text == "half a sent"


@pytest.mark.parametrize("reason", ["stop", "end_turn", "eos", None, "", "something new"])
def test_a_good_end_is_one_in_whatever_words(reason: object) -> None:
    assert read(choice(finish_reason=reason)).text == "half a sent"


def test_content_in_parts_is_joined() -> None:
    parts = [{"type": "text", "text": "one "}, {"type": "image_url", "image_url": {}}, {"text": "two"}, " three"]
    assert read(choice(content=parts)).text == "one two three"


@pytest.mark.parametrize(
    ("status", "error", "code"),
    [
        (402, {"message": "Insufficient credits"}, "upstream_no_credit"),
        (429, {"code": "insufficient_quota", "message": "You exceeded your quota"}, "upstream_no_credit"),
        (429, {"type": "insufficient_quota", "code": None}, "upstream_no_credit"),
        (200, {"code": "402", "message": "Insufficient credits"}, "upstream_no_credit"),
        (200, {"code": "insufficient_quota", "message": "You exceeded your quota"}, "upstream_no_credit"),
        (200, "insufficient_quota", "upstream_no_credit"),
        (404, {"message": "no endpoints"}, "upstream_not_found"),
        (400, {"code": "model_not_found"}, "upstream_not_found"),
        (401, {"message": "no"}, "upstream_unauthorized"),
        (403, {"message": "no"}, "upstream_unauthorized"),
        (403, {"message": "flagged", "metadata": {"reasons": ["violence"]}}, "upstream_filtered"),
        (429, {"code": "rate_limit_exceeded"}, "upstream_rate_limited"),
    ],
)
def test_refusals_of_the_account_are_told_from_those_of_a_row(status: int, error: object, code: str) -> None:
    found = refused({"error": error}, status)
    assert found.code == code
    assert found.of_the_account == (code in ("upstream_no_credit", "upstream_unauthorized", "upstream_not_found"))


@pytest.mark.parametrize("status", [408, 429, 503, 529])
def test_whoever_asks_to_wait_is_heard(status: int) -> None:
    assert refused({"error": {"message": "later"}}, status, {"Retry-After": "7"}).retry_after == 7


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"<html><head><title>x</title></head><body><h1>Bad &lt;b&gt;gateway</h1></body></html>", "Bad gateway"),
        ({"detail": "no such model"}, "no such model"),
        ({"message": "no such model"}, "no such model"),
        ({"error": "plain"}, "plain"),
        ([{"error": {"code": 400, "message": "no such field"}}], "no such field"),
        ({"detail": [{"loc": ["body"], "msg": "Field required"}]}, "Field required"),
        (
            {"error": {"message": "Provider error", "metadata": {"raw": '{"error":{"message":"too long"}}'}}},
            "error too long",
        ),
        ({"error": {"message": "Provider error", "metadata": {"raw": "<p>busy</p>"}}}, "Provider error busy"),
        ({"error": {"message": "bad \ud83d end\x00"}}, "bad \ufffd end"),
        ({"error": {"message": "sk-local-12345678"}}, "***"),
    ],
)
def test_the_reason_of_the_provider_is_told_without_markup(body: object, said: str) -> None:
    message = refused(body, 400).message
    assert message.endswith(said)
    assert "<" not in message
    message.encode()


@pytest.mark.parametrize("body", [{"detail": "not now"}, {"object": "error", "message": "not now"}])
def test_the_reason_of_an_error_without_its_status_is_told(body: dict) -> None:
    assert refused(body).message.endswith("It says: not now")


def test_a_text_that_cannot_be_stored_is_repaired_and_said_to_be() -> None:
    found = read({**choice(content="bad \ud83d end\x00"), "model": "m\udc00\x00 <b>x</b>" + "y" * 1_000})
    assert (found.text, found.repaired) == ("bad \ufffd end\ufffd", True)
    assert found.model.startswith("m\ufffd x")
    assert len(found.model) == 200
    assert read(choice(content="\ud83d\ude00")).repaired is False
