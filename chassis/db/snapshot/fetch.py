"""Fetches a snapshot: policy, checksum, download, verification, installation."""

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import structlog

from chassis.db.disk import DISK_FULL, free_bytes_of, make_private
from chassis.db.snapshot.install import (
    has_database,
    install,
    read_installed,
    record,
    remove_leftovers,
    temporary_path,
    verify,
)
from chassis.db.snapshot.progress import Progress
from chassis.db.snapshot.source import Source, expected_checksum, parse_source
from chassis.db.snapshot.staging import Staging
from chassis.errors import BootError

log = structlog.get_logger(__name__)
Outcome = Literal["off", "kept", "installed", "unchanged"]
Report = Callable[[str], None]
Check = Callable[[Path, str], None]


@dataclass(frozen=True)
class SnapshotResult:
    """The step's result; `sha256` is of the file at the URL, `size_bytes` of the database, `replaced` the old one."""

    outcome: Outcome
    sha256: str | None
    size_bytes: int
    duration_seconds: float
    replaced: Path | None


@dataclass(frozen=True)
class _Order:
    source: Source
    target: Path
    max_bytes: int
    timeout_seconds: float
    report: Report
    free_bytes: Callable[[Path], int]
    check: Check


def log_progress(message: str) -> None:
    """Log a line of progress."""
    log.info(message)


def fetch_snapshot(
    *,
    url: str,
    target: Path,
    sha256: str = "",
    policy: str = "if-missing",
    max_bytes: int,
    timeout_seconds: float = 20,
    report: Report = log_progress,
    free_bytes: Callable[[Path], int] = free_bytes_of,
    check: Check = lambda path, shown: None,
) -> SnapshotResult:
    """Fetch and install the database at `target` if `policy` requires it; the caller holds a lock.

    Raises BootError with a sentence that says what to do; the old database is then unchanged, and no other files are
    left in the folder. `timeout_seconds` is how long a download without progress is allowed; `check` is called with the
    file and its display name before it is installed, and raises BootError to refuse it.
    """
    started, target = time.monotonic(), target.resolve()
    try:
        remove_leftovers(target)
        outcome, checksum, replaced = "off", None, None  # type: tuple[Outcome, str | None, Path | None]
        if url and policy != "off":
            order = _Order(parse_source(url), target, max_bytes, timeout_seconds, report, free_bytes, check)
            outcome, checksum, replaced = _apply(order, sha256.lower(), policy)
    except OSError as error:
        raise BootError(_disk_sentence(error, target)) from None
    finally:
        with suppress(OSError):
            remove_leftovers(target)
    size = target.stat().st_size if target.exists() else 0
    return SnapshotResult(outcome, checksum, size, time.monotonic() - started, replaced)


def _apply(order: _Order, sha256: str, policy: str) -> tuple[Outcome, str | None, Path | None]:
    present = has_database(order.target)
    installed = read_installed(order.target)
    if present and policy != "refresh":
        return "kept", installed[0] if installed else None, None
    expected = sha256 or expected_checksum(order.source, order.timeout_seconds, order.report)
    if installed and installed[0] == expected:
        return "unchanged", expected, None
    return "installed", expected, _replace(order, expected)


def _replace(order: _Order, expected: str) -> Path | None:
    order.target.parent.mkdir(parents=True, exist_ok=True)
    temporary = temporary_path(order.target)
    with make_private(temporary).open("r+b") as file:
        staging = Staging(
            file=file,
            shown=order.source.shown,
            max_bytes=order.max_bytes,
            free_bytes=lambda: order.free_bytes(temporary.parent),
            progress=Progress(order.report),
        )
        order.source.read_into(staging, order.timeout_seconds, order.report)
        staging.finish(expected)
    verify(temporary, order.source.shown)
    order.check(temporary, order.source.shown)
    record(temporary, expected)
    return install(temporary, order.target)


def _disk_sentence(error: OSError, target: Path) -> str:
    if error.errno in DISK_FULL:
        return (
            f"The disk is too full for the snapshot: free some space in {target.parent}, "
            "or put DATABASE_URL on a larger disk."
        )
    why = error.strerror or type(error).__name__
    return f"The snapshot cannot be written to {target.parent} ({why}): make that folder writable for this user."
