"""A pytest plugin: writes each failure of a run to the file that TEST_FAILURES names, as lines of JSON."""

import json
import os
import re
from pathlib import Path

import pytest


@pytest.hookimpl(trylast=True)
def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Note a test that failed in its setup, call or teardown; in a parallel run the controller does."""
    path = os.environ.get("TEST_FAILURES")
    if report.failed and path and "PYTEST_XDIST_WORKER" not in os.environ:
        line = {"test": without_group(report.nodeid), "when": report.when, "text": report.longreprtext}
        with Path(path).open("a") as file:
            file.write(json.dumps(line) + "\n")


def without_group(nodeid: str) -> str:
    """Return the test's id without the group that xdist puts behind it."""
    return re.sub(r"@[\w.-]+$", "", nodeid)
