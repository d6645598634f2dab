"""Counting from green and real threads at once."""

import subprocess
import sys

from chassis.tests.conftest import ROOT
from chassis.tests.patience import LIMIT_SECONDS

SCRIPT = """
from chassis.server.patches.for_eventlet import patch_standard_library
patch_standard_library()
import eventlet
from eventlet import tpool
from chassis.observability.metrics import SOCKET_REFUSED

def count():
    for _ in range(20_000):
        SOCKET_REFUSED.labels("x").inc()

green = [eventlet.spawn(tpool.execute, count) for _ in range(3)]
count()
for thread in green:
    thread.wait()
print(SOCKET_REFUSED.labels("x")._value.get())
"""


def test_real_threads_may_count_beside_green_ones():
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], cwd=ROOT, capture_output=True, text=True, timeout=LIMIT_SECONDS
    )
    assert done.stdout.strip() == "80000.0", done.stderr
