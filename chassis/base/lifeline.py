"""Starts processes that end with this one, also in the middle of C code: the kernel sees to it, not the process."""

import fcntl
import os
import subprocess
from collections.abc import Sequence
from io import FileIO
from typing import Any


def start(command: list[str], *, pass_fds: Sequence[int] = (), **options: Any) -> tuple[subprocess.Popen[Any], FileIO]:
    """Start a process that dies when the returned file is closed, as it is when this process ends in any way.

    It has the other end of a pipe. When that is closed, Linux sends SIGIO, whose default action ends the process. (The
    death signal of prctl is sent when the starting thread ends, not the process.) macOS ignores SIGIO.
    """
    theirs, ours = os.pipe()
    try:
        process = subprocess.Popen(command, pass_fds=[*pass_fds, theirs], **options)
        fcntl.fcntl(theirs, fcntl.F_SETOWN, process.pid)
        fcntl.fcntl(theirs, fcntl.F_SETFL, os.O_ASYNC)
    except BaseException:
        os.close(ours)
        raise
    finally:
        os.close(theirs)
    return process, FileIO(ours, "w")
