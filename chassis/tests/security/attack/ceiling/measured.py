"""Runs the sweep in a process of its own, and sends what it found worst to a real worker."""

import base64
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from chassis.tests.security.attack.ceiling.limits import CPU_MS, HASH_MS, HOLD_MS, KEY, MB, STRANGER
from chassis.tests.security.attack.ceiling.wire import Worker
from chassis.tests.servers import CLEAN, ROOT, new_database

Row = dict[str, Any]
ADMIN_KEY = "Kq3vT9xW1mB7nR5tY2uP8sD4fG6hJ0aL"  # pragma: allowlist secret
SETTINGS = {
    "APP_ENV": "test",
    "SECRET_KEY": "n8Vw2LqXz5RtY7uB3mKc9PdHs6FjA4eG",  # pragma: allowlist secret
    "ADMIN_API_KEY": ADMIN_KEY,
    "REQUIRE_CLIENT_API_KEY": "true",
    "ALLOW_REGISTRATION": "true",
    "RATE_LIMIT_DEFAULT": "100000000 per hour",  # attackers have time
    "AUTH_FAILURE_LIMIT": "",
    "SOCKET_EVENTS_PER_SECOND": "0",
    "SOCKET_MAX_CONNECTIONS": "0",
    "SOCKET_MAX_CONNECTIONS_PER_ADDRESS": "0",
    "JOBS_EMBEDDED": "false",
    "LOG_LEVEL": "ERROR",
}
REPEATS = 4  # of what costs more than half of the ceiling; a sixth wrong password is not looked at
PATIENT = 20  # of what costs more than the ceiling and changes nothing: other work on the machine makes all dearer


def inside(folder: Path, mode: str, *, few: bool, only: str = "", **more: str) -> list[Row]:
    """Return the worst of each row and visitor, by a process that has the application patched for a mode."""
    env = {**CLEAN, **more, **SETTINGS, "ASYNC_MODE": mode, "DATABASE_URL": new_database(folder)}
    words = ["-m", "chassis.tests.security.attack.ceiling.inside", mode, "few" if few else "all", only]
    done = subprocess.run([sys.executable, *words], cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-4_000:]
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith('{"who"')]


def over(rows: list[Row]) -> list[str]:
    """Return what breaks the ceiling, in words."""
    most = {STRANGER: CPU_MS, KEY: HOLD_MS}
    slow = [
        f"{row['who']}, {row['row']}: {row['ms']} ms, {row['input']}"
        for row in rows
        if row["ms"] > most[row["who"]] + row.get("hashing_ms", 0)
    ]
    large = [f"{row['row']}: {row['mb']} MB, {row.get('mb_input', '')}" for row in rows if row["mb"] > MB]
    broken = [f"{row['who']}, {row['row']}: 500, {row['broken']}" for row in rows if row.get("broken")]
    return slow + large + broken


def sent(worker: Worker, row: Row) -> Row:
    """Return what a stranger's worst request costs a real worker, the hashing of passwords included."""
    request = base64.b64decode(row["wire"]).replace(b"\r\n", b"\r\nConnection: close\r\n", 1)
    hashing = row["hashes"] * HASH_MS
    repeats = PATIENT if row["row"].startswith("GET ") else REPEATS
    measured = _row(row["row"], *costs(worker, lambda: iter([request]), CPU_MS + hashing, repeats))
    return measured | {"input": row["input"], "hashing_ms": hashing}


def _row(name: str, ms: float, mb: float, status: int) -> Row:
    return {"who": STRANGER, "row": name, "input": "", "ms": round(ms, 1), "mb": round(mb, 1), "status": status}


def costs(
    worker: Worker, pieces: Callable[[], Iterator[bytes]], most: float = CPU_MS, repeats: int = PATIENT
) -> tuple[float, float, int]:
    """Return the milliseconds, the MB and the status of what is sent; the least of some when it is too much."""
    found = worker.cost(pieces)
    for number in range(repeats):
        enough = most / 2 if number < REPEATS else most
        if found[0] <= enough and (found[1] <= MB / 2 or number >= REPEATS):
            break
        found = min(found, worker.cost(pieces))
    return found


def framed(worker: Worker, tries: dict[str, Callable[[], Iterator[bytes]]]) -> list[Row]:
    """Return what requests cost that are framed in the worst way."""
    return [_row(name, *costs(worker, pieces)) for name, pieces in tries.items()]
