"""Who owns a running job, and whether that process is dead."""

import os
import subprocess
import sys
import uuid
from functools import cache
from pathlib import Path

PROC = Path("/proc")
HIDDEN = "hidden"  # the process is there, but another user's and not to be looked at


def process_owner() -> str:
    """Return this process's name in the jobs table: boot id, pid namespace, pid, start time."""
    return f"{_boot_id()}:{_pid_namespace()}:{os.getpid()}:{_start_time(os.getpid())}"


def claim_owner() -> str:
    """Return a name for one claim, so that a claim that lost its lease cannot finish a later one's work."""
    return f"{process_owner()}:{uuid.uuid4().hex[:12]}"


def is_dead(owner: str) -> bool:
    """Return whether the owner's process is certainly gone.

    Only a process of the same boot and pid namespace can be judged; of any other the lease alone tells.
    """
    try:
        boot_id, namespace, pid, start, _claim = owner.split(":")
    except ValueError:
        return False
    if boot_id != _boot_id() or namespace != _pid_namespace():
        return False
    return _start_time(int(pid)) not in (start, HIDDEN)


@cache
def _boot_id() -> str:
    if sys.platform == "darwin":
        found = subprocess.run(["sysctl", "-n", "kern.boottime"], capture_output=True, text=True, check=False)
        return uuid.uuid5(uuid.NAMESPACE_OID, found.stdout).hex
    try:
        return (PROC / "sys/kernel/random/boot_id").read_text().strip()
    except OSError:  # hidden, as by systemd's ProcSubset=pid: nobody else is of this boot then, and leases decide
        return uuid.uuid4().hex


@cache
def _pid_namespace() -> str:
    source = PROC / "self/ns/pid"
    return str(source.stat().st_ino) if source.exists() else "0"


def _start_time(pid: int) -> str:
    """Return when a process started, in a form to compare; empty when it is gone or a zombie."""
    if not (PROC / "self/stat").exists():
        found = subprocess.run(["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False)
        return found.stdout.strip().replace(":", ".")
    try:
        fields = (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return HIDDEN if _exists(pid) else ""
    return "" if fields[0] in "ZX" else fields[19]


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return (PROC / str(pid)).exists()
