"""Copies a database with SQLite's backup interface in one read transaction, in steps, while others write."""

import sqlite3
import time
from contextlib import closing
from pathlib import Path

from chassis.db.snapshot.progress import Progress

STEP_BYTES = 4_194_304
PAUSE_SHARE = 0.5  # of a step's time, so that the service has the disk first
BUSY_SECONDS = 15.0


def copy_database(source: Path, target: Path, progress: Progress) -> int:
    """Write the current state of `source` to `target`, a database in one file; return its bytes.

    The read transaction keeps later writes out of the copy: without it, every write of another process would make
    SQLite restart the copy (https://www.sqlite.org/backup.html). In WAL mode it blocks no writer, but the log grows
    until it ends; the checkpoint is then made here, so that no writer has to make it. Pauses between steps leave the
    disk to others. The copy is never synced: it is temporary, and its syncs would delay those of the writers. Raises
    sqlite3.Error.
    """
    live = sqlite3.connect(f"{source.resolve().as_uri()}?mode=rw", uri=True, isolation_level=None, timeout=BUSY_SECONDS)
    with closing(live), closing(sqlite3.connect(target, isolation_level=None)) as made:
        for pragma in ("journal_mode=OFF", "synchronous=OFF"):
            made.execute(f"PRAGMA {pragma}")
        page_bytes = int(live.execute("PRAGMA page_size").fetchone()[0])
        live.execute("BEGIN")
        live.execute("SELECT count(*) FROM sqlite_master").fetchone()
        stepped_at = time.monotonic()

        def between(_status: int, remaining: int, total: int) -> None:
            nonlocal stepped_at
            progress((total - remaining) * page_bytes, total * page_bytes)
            time.sleep(PAUSE_SHARE * (time.monotonic() - stepped_at))
            stepped_at = time.monotonic()

        live.backup(made, pages=STEP_BYTES // page_bytes, progress=between)
        live.execute("COMMIT")
        live.execute("PRAGMA wal_checkpoint(PASSIVE)")
        made.execute("PRAGMA journal_mode=DELETE")  # the copy is marked as WAL, like its source
    return target.stat().st_size


def problem_of(path: Path, check: str = "quick_check") -> str | None:
    """Return the problem that SQLite's `quick_check` or `integrity_check` finds, or None."""
    try:
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            found = str(connection.execute(f"PRAGMA {check}(1)").fetchone()[0])
    except sqlite3.DatabaseError as error:
        found = str(error)
    return None if found == "ok" else " ".join(found.split())
