"""The table of chassis/docs/transports.md names a test for each of its rows, and each test has a row."""

import re
from pathlib import Path

import pytest

from chassis.tests.conftest import ROOT

CITED = re.compile(r"`(chassis/tests/[\w/]+\.py)::(\w+)`")
FAST_ALONE = {"fast", "opened", "polling", "joined", "restless"}  # the fixtures of its server and sessions
PROMISES = (ROOT / "chassis/docs/transports.md").read_text().partition("## The promises")[2]
ROWS = [line for line in PROMISES.splitlines() if line.startswith("| ")][1:]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.split("|")[1].strip())
def test_each_row_of_the_table_names_a_test_that_runs_under_the_transports_it_is_about(row):
    _, _promise, _fast, stock, shown_by, _ = row.split("|")
    cited = CITED.findall(shown_by)
    assert cited, "no test is named"
    for path, name in cited:
        found = re.search(rf"^def {name}\(([^)]*)\)", (ROOT / path).read_text(), re.MULTILINE)
        assert found, name
        runs_under_stock = not FAST_ALONE & set(found[1].split(", "))
        assert runs_under_stock == stock.strip().startswith("yes"), name


def test_each_test_of_a_promise_is_named_in_a_row_of_the_table():
    text = "".join(path.read_text() for path in Path(__file__).parent.glob("test_*.py"))
    tests = re.findall(r"^def (test_\w+)\((?:server|impatient)\b", text, re.MULTILINE)
    assert set(tests) <= {name for row in ROWS for _, name in CITED.findall(row)}
