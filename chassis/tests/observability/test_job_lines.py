"""What a job logs is kept to be stored: bounded, by its id, and without secrets."""

import logging

import pytest
import structlog
from pydantic import SecretStr

from chassis.observability import job_lines
from chassis.observability.logs import configure_logging
from chassis.settings import Settings

KEY = "a-key-of-the-settings-0123456789abcdef"


@pytest.fixture
def lines():
    settings = Settings(app_env="test", openrouter_api_key=SecretStr(KEY), log_format="json")
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    configure_logging(settings)
    yield job_lines.install(settings)
    root.handlers[:], root.level = handlers, level


def test_lines_are_kept_by_job_and_without_secrets(lines):
    log = structlog.get_logger("test")
    log.info("of no job", token="x")
    log.bind(job_id="one").info("asked", password="hush", url=f"https://x/?key={KEY}", count=3)
    with structlog.contextvars.bound_contextvars(job_id="two", request_id="r"):
        logging.getLogger("library").warning("Bearer abcdef%s", "0123456789")
        log.info("a\nb")
    (one,) = lines.of("one")
    assert all(part in one for part in ("asked", "count=3", "info", "[test]"))
    first, second = lines.of("two")
    assert "Bearer ***" in first
    assert r"a\nb" in second
    for line in (one, first, second):
        assert not any(secret in line for secret in ("hush", KEY, "abcdef", "job_id", "request_id"))
    assert lines.of("three") == []


def test_jobs_lines_and_characters_are_bounded(lines):
    log = structlog.get_logger("test")
    for number in range(job_lines.JOBS + 10):
        log.info("here", job_id=f"job {number}")
    log.info("again", job_id="job 10")
    assert lines.of("job 9") == []
    assert len(lines.of("job 10")) == 2
    for number in range(job_lines.LINES + 50):
        log.info(f"line {number} {'x' * 5_000} end", job_id="long")
    kept = lines.of("long")
    assert len(kept) == job_lines.LINES
    assert max(map(len, kept)) < 1_100
    assert f"line {job_lines.LINES + 49}" in kept[-1]
    assert " end" in kept[-1]
    assert len(lines._kept) == job_lines.JOBS


def test_the_end_of_a_traceback_is_kept(lines):
    try:
        raise ValueError("the reason")
    except ValueError:
        structlog.get_logger("test").exception("job_raised", job_id="bad")
    (line,) = lines.take()
    assert "ValueError: the reason" in line.text
    assert (line.step, line.level) == ("job_raised", "error")
    assert lines.take() == []


def test_lines_that_could_not_be_stored_are_kept_before_newer_ones(lines):
    log = structlog.get_logger("test")
    log.info("first", job_id="one")
    log.info("second", job_id="one")
    refused = lines.take()
    log.info("third", job_id="one")
    lines.keep(reversed(refused), first=True)
    assert [next(word for word in ("first", "second", "third") if word in text) for text in lines.of("one")] == [
        "first",
        "second",
        "third",
    ]
