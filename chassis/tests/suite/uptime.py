"""Runs the suite as if the machine had just started: in a time namespace with a clock near 0 (Linux, root)."""

import os
import shutil
import sys
import time
from pathlib import Path


def restart_at(uptime: int) -> None:
    """Replace this process with one in which the machine has been up for that many seconds."""
    if os.geteuid() != 0 or shutil.which("unshare") is None:
        sys.exit("UPTIME needs root and unshare (util-linux) on Linux.")
    back = round(time.monotonic()) - uptime - already()
    options = ["--time", "--fork", "--kill-child", f"--monotonic=-{back}", f"--boottime=-{back}"]
    os.environ.pop("TEST_UPTIME")
    os.execvp("unshare", ["unshare", *options, sys.executable, "-m", "chassis.tests.suite", *sys.argv[1:]])


def already() -> int:
    """Return the seconds by which this clock is changed: a namespace within another counts from the machine's."""
    offsets = dict(line.split()[:2] for line in Path("/proc/self/timens_offsets").read_text().splitlines())
    return int(offsets["monotonic"])
