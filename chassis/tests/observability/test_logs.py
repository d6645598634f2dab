"""Logs: one line per event, with what belongs to it, and no secret."""

import functools
import json
import subprocess
import sys
import textwrap

import pytest

from chassis.base.service import current
from chassis.tests.conftest import CLEAN, ROOT

CODE = """
    import logging, structlog, warnings
    from chassis import features
    from chassis.observability.logs import configure_logging
    settings = features.load()
    configure_logging(settings)
    configure_logging(settings)
    structlog.contextvars.bind_contextvars(request_id="r-1")
    log = structlog.get_logger("here")
    log.info("hello", number=1, api_key="sk-in-a-field", password="hush-hush")
    logging.getLogger("library").warning("plain %s", "words")
    log.warning("url http://user:url-password@host/ and Bearer abc.def and {key}", key=1)
    log.error("the key is " + settings.secret_key.get_secret_value())
    warnings.warn("careful")
    try:
        token = "local-secret-variable"
        raise ValueError("boom")
    except ValueError:
        log.exception("failed")
"""


@functools.cache
def lines(log_format, level="INFO"):
    env = {
        **CLEAN,
        "APP_ENV": "test",
        "LOG_FORMAT": log_format,
        "LOG_LEVEL": level,
        "SECRET_KEY": "very-secret-key-0123456789-abcdef-XYZ",
    }
    command = [sys.executable, "-c", textwrap.dedent(CODE)]
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=True)
    assert done.stderr == ""
    return done.stdout


@pytest.mark.parametrize("log_format", ["console", "json"])
def test_no_secret_reaches_a_line_and_no_line_comes_twice(log_format):
    text = lines(log_format)
    for secret in ("sk-in-a-field", "hush-hush", "url-password", "abc.def", "very-secret-key", "local-secret-variable"):
        assert secret not in text
    assert text.count("hello") == 1
    assert text.count("plain words") == 1
    assert "careful" in text
    assert "ValueError" in text


def test_json_lines_carry_time_level_logger_and_context():
    found = [json.loads(line) for line in lines("json").splitlines()]
    assert {"timestamp", "level", "logger", "event", "request_id"} <= set(found[0])
    assert {line["service"] for line in found} == {current().slug}
    assert found[0]["request_id"] == found[1]["request_id"] == "r-1"
    assert "Traceback" in found[-1]["exception"]


def test_the_level_is_obeyed():
    assert "hello" not in lines("json", "WARNING")
