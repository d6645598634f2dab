"""Measures reads and writes through chassis.db, compared to plain sqlite3, in a process patched by eventlet.

    python benchmarks/database.py [--rounds N] [--write] [--check]

Both are measured alternately, so that a slow moment of the machine affects both, and the medians are compared. With
--check the exit status is 1 if the port is slower, in multiples of plain sqlite3, than MOST_TIMES allows.
"""
# ruff: noqa: E402 - patching comes before every other import

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from chassis.server.patches.for_eventlet import patch_standard_library

patch_standard_library()

import argparse
import sqlite3
import tempfile
import time
from collections.abc import Callable
from statistics import median

from sqlalchemy import Connection, text

from benchmarks import page
from chassis.base.concurrency import current_mode
from chassis.db import Database
from chassis.settings import Settings

# About three times the measured values. A write opens its own connection in a real thread, see chassis/db/engine.py.
MOST_TIMES = {"read": 60.0, "write": 50.0}
READ = "SELECT value FROM numbers WHERE id = 7"
WRITE = "UPDATE numbers SET value = value + 1 WHERE id = 7"
Call = Callable[[], object]


def port_calls(database: Database) -> dict[str, Call]:
    """Return a read and a write through the port."""

    def read(conn: Connection) -> int:
        return int(conn.execute(text(READ)).scalar_one())

    def write(conn: Connection) -> None:
        conn.execute(text(WRITE))

    return {"read": lambda: database.read(read), "write": lambda: database.write(write)}


def plain_calls(connection: sqlite3.Connection) -> dict[str, Call]:
    """Return the same on one open connection, without the port."""

    def write() -> None:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute(WRITE)
        connection.execute("COMMIT")

    return {"read": lambda: connection.execute(READ).fetchone(), "write": write}


def seconds(call: Call) -> float:
    """Return how long a call takes."""
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


def compare(path: Path, rounds: int) -> dict[str, tuple[float, float]]:
    """Return {name: (median seconds through the port, median seconds with plain sqlite3)}."""
    plain = sqlite3.connect(path, isolation_level=None)
    for statement in ("PRAGMA journal_mode=WAL", "PRAGMA synchronous=NORMAL"):
        plain.execute(statement)
    plain.execute("CREATE TABLE numbers (id INTEGER PRIMARY KEY, value INTEGER NOT NULL)")
    plain.executemany("INSERT INTO numbers VALUES (?, 0)", [(number,) for number in range(1000)])
    database = Database()
    database.open(Settings(app_env="test", database_url=f"sqlite:///{path}"))
    database.warm()
    sides = port_calls(database), plain_calls(plain)
    found = {}
    for what in ("read", "write"):
        taken = [[seconds(side[what]) for side in sides] for _ in range(rounds)]
        found[what] = median(pair[0] for pair in taken), median(pair[1] for pair in taken)
    assert plain.execute(READ).fetchone()[0] == 2 * rounds, "both sides wrote every time"
    database.close()
    return found


def table(found: dict[str, tuple[float, float]]) -> str:
    """Return the medians as a Markdown table."""
    lines = ["| | chassis.db, us | sqlite3, us | times | at most |", f"|---|{'---:|' * 4}"]
    for what, (port, plain) in found.items():
        cells = f"{port * 1e6:,.0f} | {plain * 1e6:,.0f} | {port / plain:.1f} | {MOST_TIMES[what]:.0f}"
        lines.append(f"| {what} | {cells} |")
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=1000, help="how often each is measured")
    parser.add_argument("--write", action="store_true", help="write the table to chassis/docs/performance.md")
    parser.add_argument("--check", action="store_true", help="exit with 1 when the port became much slower")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = compare(Path(folder) / "benchmark.db", arguments.rounds)
    written = table(found)
    print(written)
    if arguments.write:
        page.put("database", written, f"{page.conditions(arguments.rounds)}, in a process patched by {current_mode()}.")
    slow = [what for what, (port, plain) in found.items() if port / plain > MOST_TIMES[what]]
    if slow and arguments.check:
        print(f"\nSlower than allowed: {', '.join(slow)}.", file=sys.stderr)
    return 1 if slow and arguments.check else 0


if __name__ == "__main__":
    sys.exit(main())
