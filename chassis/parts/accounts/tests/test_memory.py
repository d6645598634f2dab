"""What hashing costs a process in memory when it is over, in real processes."""

import subprocess
import sys

import pytest

from chassis.tests.conftest import ROOT
from chassis.tests.patience import LIMIT_SECONDS

GUESSES = 30
MOST_MB = 100  # thirty blocks of 19 MiB, kept by the threads of a pool, were 250 and more
PROGRAM = """
import threading
from pathlib import Path
from chassis.parts.accounts import passwords

def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 // 1_000_000

def guess():
    assert not passwords.is_right("wrong", None)

guess()
before = resident()
threads = [threading.Thread(target=guess) for _ in range(GUESSES)]
for thread in threads: thread.start()
for thread in threads: thread.join()
print(resident() - before)
"""
PATCHES = {
    "threading": "",
    "eventlet": "import eventlet; eventlet.monkey_patch()",
    "gevent": "from gevent import monkey; monkey.patch_all()",
}


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize("mode", PATCHES)
def test_wrong_passwords_leave_no_memory_behind(mode):
    program = PATCHES[mode] + PROGRAM.replace("GUESSES", str(GUESSES))
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=LIMIT_SECONDS, check=False)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) < MOST_MB
