"""No text of a client becomes a line of the log, or the level of one; errors are found as the documents say."""

import json
import logging
import subprocess

import pytest

from chassis.security import log_level
from chassis.tests.documents import blocks

FORGED = '2026-01-01T00:00:00Z [error    ] forged "level": "error" ERROR'
TEXT = f"\n{FORGED}\r\n{FORGED}\x1b[2K\u2028{FORGED}"
CODE = f"""
configure(log_format={{log_format!r}})
text, plain = {TEXT!r}, logging.getLogger("library")
log.info(text, value=text, nested=dict(level="x", text=[text]))
log.info(ValueError(text))
plain.warning("asked for %s", text)
plain.warning("extra", extra=dict(level="error", logger="forged", timestamp="forged"))
log.info("own", level="error")
try:
    raise ValueError(text)
except ValueError:
    log.exception("truly failed")
    plain.exception("truly failed: %s", text)
"""


@pytest.fixture(params=["json", "console"])
def lines(request, written):
    """A format, and what is logged in it of what a client has sent."""
    return request.param, written(CODE.format(log_format=request.param)).text


def test_errors_are_found_by_the_documented_lines_and_nothing_else_is(lines, tmp_path):
    log_format, text = lines
    (tmp_path / "app.log").write_text(text)
    commands = blocks("chassis/docs/operations.md", "Health, metrics, logs")[0].splitlines()
    (command,) = [line for line in commands if line.endswith(f"# LOG_FORMAT={log_format}")]
    found = subprocess.run(["bash", "-c", command], cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    assert len(found.splitlines()) == 2
    assert all("truly failed" in line for line in found.splitlines())


def test_every_event_is_one_line_and_only_a_traceback_goes_on_indented(lines):
    log_format, text = lines
    found = text.split("\n")[:-1]
    if log_format == "json":
        events = [json.loads(line) for line in found]
        assert [event["level"] for event in events] == ["info"] * 2 + ["warning"] * 2 + ["info"] + ["error"] * 2
        assert not [event for event in events if "forged" in (event["logger"], event["timestamp"])]
    else:
        assert len([line for line in found if not line.startswith("  ")]) == 7
        assert "\r" not in text
        assert "\x1b" not in text
        assert not [line for line in found if line.startswith(FORGED[:10])]
    assert "forged" in text


@pytest.mark.parametrize("kept", ["ERROR\nINFO", "error", "", 7, None, ["INFO"]])
def test_a_level_in_the_database_that_is_none_changes_nothing(kept, monkeypatch):
    root = logging.getLogger()
    monkeypatch.setattr(root, "level", logging.INFO)
    log_level.apply({"level": kept, "until": None}, "WARNING")
    assert root.level == logging.WARNING
