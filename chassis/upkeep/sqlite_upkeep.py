"""Keeps the SQLite file small and its query plans good, delaying writers by milliseconds only.

- Free pages are returned to the disk in small steps, each in its own transaction. A file without incremental vacuum is
  rewritten once if it is small enough (SQLITE_VACUUM_MAX_BYTES); that is the only longer step.
- The write-ahead log is first copied while others read and write (PASSIVE), so that little remains for truncating it
  (TRUNCATE), which gives up if it would have to wait.
- `PRAGMA optimize` analyses only a sample of each index.
"""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from chassis.base.concurrency import run_in_thread
from chassis.jobs import JobContext, job
from chassis.settings import Settings
from chassis.wiring import current_settings

STEP_PAGES = 256  # 1 MB
PAUSE_SECONDS = 0.05  # for other writers
WAIT_SECONDS = 15.0  # for other writers; this wait blocks no others
CUT_SECONDS = 0.2  # for readers; writers are blocked meanwhile
ANALYSED_ROWS = 400  # https://www.sqlite.org/lang_analyze.html#approx
INCREMENTAL = 2
MUCH_FREE = 0.2


def _schedule(settings: Settings) -> str:
    return settings.sqlite_upkeep_schedule


@job("sqlite_upkeep", schedule=_schedule, stall="requeue", max_attempts=3, missed="skip", title="Tidy the SQLite file")
def sqlite_upkeep(context: JobContext, payload: dict[str, Any]) -> None:
    """Shrink, checkpoint and analyse the file; PostgreSQL does this itself."""
    settings = current_settings()
    path = settings.sqlite_path
    if path is None:
        context.progress(1, 1, "PostgreSQL needs no upkeep here")
        return
    before = path.stat().st_size
    words = shrink(path, settings.sqlite_vacuum_max_bytes, context)
    whole = run_in_thread(lambda: _tidy(path))
    saved = before - path.stat().st_size
    context.progress(1, 1, f"{words}, {saved:,} bytes freed{'' if whole else ', log not truncated: it is being read'}")


def shrink(path: Path, max_bytes: int, context: JobContext) -> str:
    """Return free pages to the disk; return a description of what was done."""
    mode, size, free = run_in_thread(lambda: _figures(path))
    if mode == INCREMENTAL:
        for _ in range(-(-free // STEP_PAGES)):
            run_in_thread(lambda: _run(path, f"PRAGMA incremental_vacuum({STEP_PAGES})"))
            context.wait(PAUSE_SECONDS)
        return "shrunk in steps"
    if path.stat().st_size <= max_bytes:
        run_in_thread(lambda: _run(path, f"PRAGMA auto_vacuum={INCREMENTAL}; VACUUM"))
        return "rewritten, shrinks in steps from now on"
    if free > size * MUCH_FREE:
        context.log.warning("sqlite_much_free", pages=size, free_pages=free, limit_bytes=max_bytes)
        return f"{free:,} of {size:,} pages are free, and it is above SQLITE_VACUUM_MAX_BYTES"
    return "not shrunk"


def _figures(path: Path) -> tuple[int, int, int]:
    mode, size, free = (_ask(path, f"PRAGMA {name}")[0] for name in ("auto_vacuum", "page_count", "freelist_count"))
    return mode, size, free


def _tidy(path: Path) -> bool:
    """Optimize and checkpoint the file; return whether the log could be truncated."""
    _run(path, f"PRAGMA analysis_limit={ANALYSED_ROWS}; PRAGMA optimize=0x10002")
    _ask(path, "PRAGMA wal_checkpoint(PASSIVE)")
    return bool(_ask(path, "PRAGMA wal_checkpoint(TRUNCATE)", CUT_SECONDS)[0] == 0)


def _ask(path: Path, statement: str, wait_seconds: float = WAIT_SECONDS) -> Any:
    """Return the first row of a statement's result, on its own connection."""
    with closing(sqlite3.connect(path, timeout=wait_seconds, isolation_level=None)) as connection:
        return connection.execute(statement).fetchone()


def _run(path: Path, statements: str) -> None:
    """Run statements to completion; `execute` would stop after one freed page."""
    with closing(sqlite3.connect(path, timeout=WAIT_SECONDS, isolation_level=None)) as connection:
        connection.executescript(statements)
