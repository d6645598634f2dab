"""The data of backups and their names: `app-20261121T020000Z.db.zst`, with the checksum in `.sha256` beside it."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from chassis.errors import AppError

Report = Callable[[str], None]
STAMP = "%Y%m%dT%H%M%SZ"
SIDECAR = ".sha256"
FILES = ".files.tar.zst"
NAME = re.compile(r"(?P<stem>[^-/][^/]*)-(?P<stamp>\d{8}T\d{6}Z)\.(db\.zst|dump)")


class BackupError(AppError):
    """A backup that cannot be made, read or restored; the message tells the operator what to do."""

    code = "backup_failed"


@dataclass(frozen=True)
class Backup:
    """A stored backup; times are seconds since 1970, `proven_at` is when it was last restored as a test."""

    name: str
    size_bytes: int
    made_at: float
    sha256: str
    proven_at: float | None


@dataclass(frozen=True)
class Made:
    """A backup that was just made; `database_bytes` is the size of its database."""

    name: str
    place: str
    size_bytes: int
    database_bytes: int
    sha256: str
    made_at: float
    duration_seconds: float


@dataclass(frozen=True)
class Proof:
    """The result of a test restore: rows of each table, and the migrations that were applied to it."""

    name: str
    sha256: str
    rows: dict[str, int]
    migrated: list[str]


@dataclass(frozen=True)
class Restored:
    """The result of a restore; `kept` is where the old database is, `pending` what the next start migrates."""

    name: str
    size_bytes: int
    kept: str | None
    pending: list[str]


def name_at(stem: str, seconds: float, ending: str) -> str:
    """Return the name of a backup made at that time; the ending is `db.zst` or `dump`."""
    return f"{stem}-{datetime.fromtimestamp(seconds, UTC).strftime(STAMP)}.{ending}"


def files_of(name: str) -> str:
    """Return the name of the archive of stored files that belongs to a backup of the database."""
    return f"{name.removesuffix('.db.zst').removesuffix('.dump')}{FILES}"


def made_at(name: str, stem: str) -> float | None:
    """Return when one of our backups was made, to the second, or None for other names."""
    found = NAME.fullmatch(name)
    if found is None or found["stem"] != stem:
        return None
    try:
        return datetime.strptime(found["stamp"], STAMP).replace(tzinfo=UTC).timestamp()
    except ValueError:
        return None
