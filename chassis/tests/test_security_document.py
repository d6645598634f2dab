"""Every promise of chassis/docs/security.md names a test that exists, or one of a feature that was deleted."""

import re

import pytest

from chassis.tests.conftest import ROOT

CITED = re.compile(r"`((?:chassis|app)/[\w/*]+(?:\.py)?)(?:::(\w+))?`")
PROMISES = (ROOT / "chassis/docs/security.md").read_text().partition("## Promises\n")[2].partition("\n## ")[0]
ROWS = [line for line in PROMISES.splitlines() if line.startswith("| ")][1:]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.split("|")[1].strip())
def test_a_promise_is_shown_by_tests_that_exist(row):
    cited = CITED.findall(row.split("|")[3])
    assert cited, "no test is named"
    for path, name in cited:
        found = list(ROOT.glob(path))
        assert found or "*" in path, path  # a feature may be deleted, and its promises with it
        assert not found or not name or any(f"def {name}(" in file.read_text() for file in found), name
