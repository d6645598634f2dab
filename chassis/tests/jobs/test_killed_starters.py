"""Processes that compute end with the process that started them, also in the middle of C code."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from chassis.tests.conftest import ROOT
from chassis.tests.patience import wait_until

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="macOS ignores SIGIO")
STUCK = """
import os, re

def work(told):
    with open(told, "w") as file:
        file.write(str(os.getpid()))
    re.match("(a+)+$", "a" * 60 + "b")  # C code that takes years, and holds the interpreter's lock
"""
POOL = """
import sys, threading
from pathlib import Path
from chassis.jobs import JobContext, Processes

folder, told = sys.argv[1:]
pool = Processes(Path(folder), "child:made", most=1, seconds=600)
context = JobContext("1", "work", 1, lambda *progress: None)
threading.Thread(target=pool.ask, args=(told, context)).start()
"""
IMAGES = """
import sys
from pathlib import Path
from chassis.files import images

images.CHILD = Path(sys.argv[1], "child.py")
images._run([], 1)
"""
CPU = """
import sys
from chassis.jobs import cpu

cpu.sys.executable = f"{sys.argv[1]}/child.py"
child = cpu.Child(None)
input()
"""


def lives(pid: int) -> bool:
    """Return whether a process runs; a zombie does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


@pytest.mark.parametrize("program", [POOL, IMAGES, CPU], ids=["pool", "images", "cpu"])
def test_a_process_that_is_stuck_ends_when_its_starter_is_killed(tmp_path, program):
    told, child = tmp_path / "pid", tmp_path / "child.py"
    run = f"made = lambda: work\nif __name__ == '__main__':\n    work({str(told)!r})\n"
    child.write_text(f"#!{sys.executable}\n{STUCK}\n{run}")
    child.chmod(0o700)
    command = [sys.executable, "-c", program, str(tmp_path), str(told)]
    starter = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE)
    try:
        pid = int(wait_until(lambda: told.is_file() and told.read_text(), "it was not started"))
        assert lives(pid)
    finally:
        starter.kill()
        starter.communicate()
    try:
        wait_until(lambda: not lives(pid), f"process {pid} still runs")
    except AssertionError:
        os.kill(pid, signal.SIGKILL)
        raise
