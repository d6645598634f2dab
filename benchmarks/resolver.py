"""Compares eventlet's own resolver with the system's at a worker's start: `python benchmarks/resolver.py`."""

import os
import statistics
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
START = """
from chassis.server.patches.for_eventlet import patch_standard_library
patch_standard_library()
from app import create_app
create_app()
"""
TIMES = 9


def start(resolver: str) -> tuple[float, float]:
    """Load the application in a process of its own; return its CPU seconds and its maximum size in MB."""
    env = {**os.environ, "EVENTLET_NO_GREENDNS": resolver, "PYTHONPATH": f"{ROOT / 'chassis/tests/lean'}:{ROOT}"}
    pid = os.posix_spawn(sys.executable, [sys.executable, "-c", START], env)
    _, status, used = os.wait4(pid, 0)
    if status:
        raise SystemExit("the application does not load")
    return used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


if __name__ == "__main__":
    found = [(start("no"), start("yes")) for _ in range(TIMES)]
    for name, runs in zip(("eventlet's", "the system's"), zip(*found, strict=True), strict=True):
        seconds, megabytes = (statistics.median(values) for values in zip(*runs, strict=True))
        print(f"{name:>13}: {seconds:.2f} CPU s, {megabytes:.0f} MB")
