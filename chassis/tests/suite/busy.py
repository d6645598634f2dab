"""Processes that use the CPU during the tests, as on a machine with other work."""

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator

WORK = "import os, sys\nwhile os.getppid() == int(sys.argv[1]): sum(range(100_000))"  # ends with its parent


@contextlib.contextmanager
def busy(count: int) -> Iterator[None]:
    """Keep this number of processes computing."""
    command = [sys.executable, "-c", WORK, str(os.getpid())]
    running = [subprocess.Popen(command) for _ in range(count)]
    try:
        yield
    finally:
        for process in running:
            process.kill()
            process.wait()
