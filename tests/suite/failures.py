"""A pytest plugin: writes each failure of a run to the file that TEST_FAILURES names, as lines of JSON."""

import json
import os
from pathlib import Path

import pytest


@pytest.hookimpl(trylast=True)
def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Note a test that failed in its setup, call or teardown; in a parallel run the controller does."""
    path = os.environ.get("TEST_FAILURES")
    if report.failed and path and "PYTEST_XDIST_WORKER" not in os.environ:
        line = {"test": report.nodeid, "when": report.when, "text": report.longreprtext}
        with Path(path).open("a") as file:
            file.write(json.dumps(line) + "\n")
