"""eventlet's and gevent's hubs do the same, and only one module of each speaks to the library."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from chassis.tests.conftest import CLEAN, ROOT
from chassis.tests.patience import LIMIT_SECONDS
from chassis.tests.server.hub_program import CHECKS

IMPORTS = re.compile(r"^\s*(?:import|from) (?:eventlet|gevent)\b", re.MULTILINE)
SPEAK_TO_THEM = {
    "base/concurrency.py",  # patched or not, and work in real threads
    "server/hub_eventlet.py",
    "server/hub_gevent.py",
    "server/patches/for_eventlet.py",
    "server/patches/for_gevent.py",
    "server/patches/lookup.py",
}


@pytest.mark.server
@pytest.mark.parametrize("mode", ["eventlet", "gevent"])
@pytest.mark.parametrize("check", CHECKS)
def test_a_hub_does_what_the_transport_needs(mode, check):
    command = [sys.executable, "-W", "ignore", "-m", "chassis.tests.server.hub_program", mode, check]
    ran = subprocess.run(command, cwd=ROOT, env=CLEAN, capture_output=True, text=True, timeout=LIMIT_SECONDS)
    assert (ran.stdout, ran.stderr) == ("done\n", "")


def test_no_other_module_knows_the_library():
    chassis = Path(ROOT, "chassis")
    files = [path for path in chassis.rglob("*.py") if "tests" not in path.relative_to(chassis).parts]
    assert {str(path.relative_to(chassis)) for path in files if IMPORTS.search(path.read_text())} == SPEAK_TO_THEM
