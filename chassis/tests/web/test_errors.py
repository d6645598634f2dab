"""Every error becomes an answer: JSON for programs, a page for people."""

import pytest
from structlog.contextvars import merge_contextvars
from structlog.testing import capture_logs

PAGE = {"Accept": "text/html"}


@pytest.mark.parametrize(
    ("how", "status", "code"),
    [
        ("conflict", 409, "already_ended"),
        ("unavailable", 503, "unavailable"),
        ("400", 400, "bad_request"),
        ("404", 404, "not_found"),
        ("413", 413, "payload_too_large"),
        ("429", 429, "rate_limited"),
        ("500", 500, "internal_error"),
        ("crash", 500, "internal_error"),
    ],
)
def test_programs_get_json_with_a_code_a_sentence_and_the_request_id(small, how, status, code):
    answer = small.client.get(f"/api/fail/{how}", headers={**PAGE, "X-Request-ID": "r1"})
    assert answer.status_code == status
    error = answer.get_json()["error"]
    assert (error["code"], error["request_id"]) == (code, "r1")
    assert error["message"].endswith(".")
    assert set(error) == {"code", "message", "request_id"}


@pytest.mark.parametrize("status", [400, 404, 405, 413, 429, 500, 503])
def test_people_get_a_page_in_words(small, status):
    answer = small.client.get(f"/fail/{status}", headers={**PAGE, "X-Request-ID": "r-page"})
    assert answer.status_code == status
    assert answer.mimetype == "text/html"
    assert "<h1>" in answer.text
    assert "r-page" in answer.text
    assert "Traceback" not in answer.text


def test_each_status_has_words_of_its_own(small):
    pages = {small.client.get(f"/fail/{s}", headers=PAGE).text.split("<h1>")[1] for s in (400, 404, 413, 429, 500, 503)}
    assert len(pages) == 6


def test_a_client_that_prefers_json_gets_it_anywhere(small):
    assert small.client.get("/missing", headers={"Accept": "application/json"}).is_json
    assert not small.client.get("/missing", headers={"Accept": "text/html,application/json;q=0.5"}).is_json
    assert not small.client.get("/missing", headers={"Accept": "*/*"}).is_json


@pytest.mark.parametrize("path", ["/fail/crash", "/api/fail/crash"])
def test_what_went_wrong_inside_stays_inside(small, path):
    answer = small.client.get(path)
    assert answer.status_code == 500
    assert "hush" not in answer.text


def test_a_crash_is_logged_with_its_traceback_and_request_id(small):
    with capture_logs(processors=[merge_contextvars]) as events:
        small.client.get("/fail/crash", headers={"X-Request-ID": "r1"})
    (event,) = [event for event in events if event["event"] == "request_raised"]
    assert (event["log_level"], event["exc_info"], event["request_id"]) == ("error", True, "r1")


@pytest.mark.parametrize(("how", "seconds"), [("rest", "30"), ("slow-down", "7")])
@pytest.mark.parametrize("prefix", ["/fail/", "/api/fail/"])
def test_when_to_come_back_is_kept(small, how, seconds, prefix):
    assert small.client.get(prefix + how).headers["Retry-After"] == seconds


def test_the_methods_that_are_allowed_are_kept(small):
    answer = small.client.post("/fail/404")
    assert answer.status_code == 405
    assert "GET" in answer.headers["Allow"]


def test_a_body_over_the_limit_is_refused_in_words(small):
    answer = small.client.post("/upload", data=b"x" * 200, headers=PAGE)
    assert answer.status_code == 413
    assert "larger than this service accepts" in answer.text


def test_when_the_error_page_itself_fails_there_is_plain_text(small):
    def broken():
        raise RuntimeError("hush")

    small.app.context_processor(broken)
    answer = small.client.get("/missing", headers=PAGE)
    assert (answer.status_code, answer.mimetype) == (404, "text/plain")
    assert answer.text.startswith("Page not found")
    assert "hush" not in answer.text


def test_what_the_visitor_sent_is_not_run_in_the_page(small):
    answer = small.client.get("/<script>alert(1)</script>", headers=PAGE)
    assert "<script>alert" not in answer.text
