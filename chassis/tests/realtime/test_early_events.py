"""What arrives after a page has joined a room and before the answer to it is shown, too."""

import json
import subprocess
from pathlib import Path

from chassis.tests.conftest import ROOT
from chassis.tests.patience import LIMIT_SECONDS

SCRIPT = Path(__file__).with_name("early_events.js")


def test_a_page_that_joins_in_the_middle_of_answers_shows_all_of_them(tool):
    command = [tool("node", "nodejs"), SCRIPT, ROOT / "chassis/web/static"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT_SECONDS, check=True)
    assert json.loads(done.stdout) == {"shown": {"old": "abcde", "new": "xy"}, "ends": [["new", "done"]]}
