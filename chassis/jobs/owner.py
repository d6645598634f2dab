"""Names the owner of a running job, and checks whether that process is dead."""

import os
import subprocess
import sys
import uuid
from functools import cache
from pathlib import Path

PROC = Path("/proc")
HIDDEN = "hidden"  # the process exists, but belongs to another user and cannot be inspected


def process_owner() -> str:
    """Return this process' name in the jobs table: boot id, pid namespace, pid, start time."""
    return _owner(os.getpid())


@cache
def _owner(pid: int) -> str:
    return f"{_boot_id()}:{_pid_namespace()}:{pid}:{_start_time(pid)}"


def claim_owner() -> str:
    """Return a name for one claim, so that a claim that lost its lease cannot finish a later claim's work."""
    return f"{process_owner()}:{uuid.uuid4().hex[:12]}"


def is_dead(owner: str) -> bool:
    """Return whether the owner's process is certainly dead.

    Only a process of the same boot and pid namespace can be checked; for any other, only the lease counts.
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
    except OSError:  # hidden, as by systemd's ProcSubset=pid: then no other process has this boot id, and leases decide
        return uuid.uuid4().hex


@cache
def _pid_namespace() -> str:
    source = PROC / "self/ns/pid"
    return str(source.stat().st_ino) if source.exists() else "0"


def _start_time(pid: int) -> str:
    """Return a process' start time in a comparable form, or "" if it is gone or a zombie."""
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
