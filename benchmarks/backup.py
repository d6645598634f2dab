"""Measures how long a writer waits during a backup: its longest stall, compared to the same time without a backup.

    python benchmarks/backup.py [--mb 1000] [--writers 1] [--check]

A database is filled with data that hardly compresses; separate processes write small transactions to it, as the service
does. Three things are measured: a backup made with `flask db backup`; the same time without one, since other programs
delay writers too; and a copy made in a single step. With --check the exit status is 1 if a writer waited for longer
than MOST_SECONDS during a backup.
"""

import argparse
import os
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MOST_SECONDS = 0.05
PAUSE_SECONDS = 0.005
WRITER = """
import pathlib, sqlite3, sys, time
path, pause = sys.argv[1], float(sys.argv[2])
connection = sqlite3.connect(path, isolation_level=None, timeout=15)
for pragma in ("journal_mode=WAL", "synchronous=NORMAL"):
    connection.execute(f"PRAGMA {pragma}")
took = []
end = pathlib.Path(path + ".stop")
while not end.exists():
    started = time.perf_counter()
    connection.execute("BEGIN IMMEDIATE")
    connection.execute("UPDATE rows SET n = n + 1 WHERE id = 1 + abs(random()) % 1000")
    connection.execute("INSERT INTO log (at) VALUES (?)", (time.time(),))
    connection.execute("COMMIT")
    took.append(time.perf_counter() - started)
    time.sleep(pause)
took.sort()
over = sum(one > 0.05 for one in took)
print(len(took), took[len(took) // 2], took[int(len(took) * 0.99)], over, took[-1])
"""
SINGLE = """
import sqlite3, sys
source, target = sqlite3.connect(sys.argv[1]), sqlite3.connect(sys.argv[2])
target.execute("PRAGMA journal_mode=OFF"); target.execute("PRAGMA synchronous=OFF")
source.backup(target, pages=-1)
"""


def fill(path: Path, megabytes: int) -> None:
    """Create a database of that size, and write it to the disk."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("CREATE TABLE rows (id INTEGER PRIMARY KEY, n INTEGER NOT NULL, weight BLOB)")
    connection.execute("CREATE TABLE log (at REAL)")
    numbers = "WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < 1000)"
    for _ in range(megabytes):
        connection.execute(f"{numbers} INSERT INTO rows (n, weight) SELECT 0, randomblob(950) FROM c")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    os.sync()


def measured(path: Path, writers: int, during: Callable[[], None]) -> tuple[int, float, float, int, float, float]:
    """Return writes, median and 99th percentile in seconds, writes over 50 ms, the longest, and the total time."""
    stop = Path(f"{path}.stop")
    stop.unlink(missing_ok=True)
    command = [sys.executable, "-c", WRITER, str(path), str(PAUSE_SECONDS)]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(writers)]
    time.sleep(1.0)
    started = time.perf_counter()
    during()
    seconds = time.perf_counter() - started
    time.sleep(1.0)  # includes the checkpoint after it
    stop.touch()
    told = [[float(word) for word in process.communicate()[0].split()] for process in running]
    worst = [max(column) for column in zip(*told, strict=True)]
    writes, over = (int(sum(one[index] for one in told)) for index in (0, 3))
    return writes, worst[1], worst[2], over, worst[4], seconds


def ways(path: Path, folder: Path) -> dict[str, Callable[[], None]]:
    """Return what to run while the writers write."""
    env = {**os.environ, "APP_ENV": "test", "DATABASE_URL": f"sqlite:///{path}"}
    seconds = 5.0

    def backup() -> None:
        nonlocal seconds
        started = time.perf_counter()
        command = [sys.executable, "-m", "flask", "db", "backup", "--to", str(folder / "backups")]
        subprocess.run(command, cwd=ROOT, env=env, check=True, stdout=subprocess.DEVNULL)
        seconds = time.perf_counter() - started

    def single() -> None:
        subprocess.run([sys.executable, "-c", SINGLE, str(path), str(folder / "single.db")], check=True)

    return {"flask db backup": backup, "as long without": lambda: time.sleep(seconds), "copy in one step": single}


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--mb", type=int, default=200, help="size of the database")
    parser.add_argument("--writers", type=int, default=1, help="processes that write")
    parser.add_argument("--folder", help="where to work: the disk is what is measured")
    parser.add_argument("--check", action="store_true", help="exit with 1 when a writer waited too long")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=arguments.folder) as name:
        folder = Path(name)
        path = folder / "app.db"
        fill(path, arguments.mb)
        print(f"{path.stat().st_size / 1e6:.0f} MB, {arguments.writers} writers; times in ms\n")
        print(f"{'':18}{'writes':>8}{'median':>9}{'p99':>9}{'> 50 ms':>9}{'longest':>9}{'seconds':>9}")
        longest = {}
        for what, during in ways(path, folder).items():
            writes, median, p99, over, worst, seconds = measured(path, arguments.writers, during)
            longest[what] = worst
            times = f"{1000 * median:>9.1f}{1000 * p99:>9.1f}{over:>9}{1000 * worst:>9.1f}"
            print(f"{what:18}{writes:>8}{times}{seconds:>9.1f}", flush=True)
    slow = longest["flask db backup"] > MOST_SECONDS
    if slow and arguments.check:
        print(f"\nA writer waited for more than {MOST_SECONDS * 1000:.0f} ms.", file=sys.stderr)
    return 1 if slow and arguments.check else 0


if __name__ == "__main__":
    sys.exit(main())
