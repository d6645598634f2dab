"""Processes that a benchmark starts: what they use, and Redis."""

import contextlib
import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path


def family(pid: int) -> list[int]:
    """Return a process and all of its descendants; none that have ended."""
    try:
        tasks = list(Path(f"/proc/{pid}/task").iterdir())
        children = [int(child) for task in tasks for child in (task / "children").read_text().split()]
    except OSError:
        return []
    return [pid, *(found for child in children for found in family(child))]


def cpu_seconds(pids: list[int]) -> float:
    """Return the CPU time of processes."""
    ticks = 0
    for pid in pids:
        with contextlib.suppress(OSError):
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def memory_kb(pids: list[int]) -> int:
    """Return the memory of processes, each shared page counted in parts (PSS)."""
    total = 0
    for pid in pids:
        with contextlib.suppress(OSError):
            rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
            total += next(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:"))
    return total


@contextlib.contextmanager
def redis_server(folder: Path, port: int) -> Iterator[int]:
    """Run Redis without a disk; yield its pid once it answers."""
    command = ["redis-server", "--port", str(port), "--save", "", "--dir", str(folder), "--bind", "127.0.0.1"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        try:
            ping = ["redis-cli", "-p", str(port), "ping"]
            while subprocess.run(ping, capture_output=True, check=False).returncode:
                if process.poll() is not None:
                    raise SystemExit(f"Redis does not start on port {port}.")
                time.sleep(0.05)
            yield process.pid
        finally:
            process.kill()
