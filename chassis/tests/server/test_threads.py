"""Blocking work beside the hub, in each mode: what it raises is its caller's to tell of."""

import subprocess
import sys

import pytest

from chassis.tests.conftest import CLEAN, ROOT

PATCHED = {
    "eventlet": "import eventlet; eventlet.monkey_patch()",
    "gevent": "from gevent import monkey; monkey.patch_all()",
    "threading": "",
}
WORK = """
from chassis.base.concurrency import current_mode, run_in_thread

def refuse():
    raise LookupError("refused")

print(current_mode(), run_in_thread(lambda: "done"))
try:
    run_in_thread(refuse)
except LookupError as error:
    print(error, error.__traceback__.tb_next is not None)
"""


@pytest.mark.parametrize("mode", PATCHED)
def test_what_work_in_a_thread_raises_reaches_the_caller_and_nothing_else(mode):
    command = [sys.executable, "-W", "ignore", "-c", f"{PATCHED[mode]}\n{WORK}"]
    said = subprocess.run(command, cwd=ROOT, env=CLEAN, capture_output=True, text=True, check=True)
    assert said.stdout.splitlines() == [f"{mode} done", "refused True"]
    assert said.stderr == ""
