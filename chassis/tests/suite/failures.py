"""A pytest plugin that writes each failure to the file named in TEST_FAILURES, as lines of JSON."""

import json
import os
from collections.abc import Generator
from pathlib import Path

import pytest


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Escape unpaired surrogates in reports: a parallel run cannot send them, and would end."""
    report = yield
    report.sections = [(name, escaped(text)) for name, text in report.sections]
    if report.failed and escaped(report.longreprtext) != report.longreprtext:
        report.longrepr = escaped(report.longreprtext)
    return report


def escaped(text: str) -> str:
    """Return the text with characters escaped that cannot be encoded."""
    return text if text.isascii() else text.encode(errors="backslashreplace").decode()


@pytest.hookimpl(trylast=True)
def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Record a test that failed in its setup, call or teardown; in a parallel run the controller does."""
    path = os.environ.get("TEST_FAILURES")
    if report.failed and path and "PYTEST_XDIST_WORKER" not in os.environ:
        line = {"test": report.nodeid, "when": report.when, "text": report.longreprtext}
        with Path(path).open("a") as file:
            file.write(json.dumps(line) + "\n")
