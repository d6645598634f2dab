"""What a backup is, and how it is named: `app-20261121T020000Z.db.zst`, with its checksum in `.sha256` beside it."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from chassis.errors import AppError

Report = Callable[[str], None]
STAMP = "%Y%m%dT%H%M%SZ"
SIDECAR = ".sha256"
NAME = re.compile(r"(?P<stem>[^-/][^/]*)-(?P<stamp>\d{8}T\d{6}Z)\.(db\.zst|dump)")


class BackupError(AppError):
    """A backup that cannot be made, read or put back; the sentence tells the operator what to do."""

    code = "backup_failed"


@dataclass(frozen=True)
class Backup:
    """A backup in its place; times are seconds since 1970, `proven_at` is when it was last restored as a test."""

    name: str
    size_bytes: int
    made_at: float
    sha256: str
    proven_at: float | None


@dataclass(frozen=True)
class Made:
    """A backup that was just made; `database_bytes` is its size unpacked."""

    name: str
    place: str
    size_bytes: int
    database_bytes: int
    sha256: str
    made_at: float
    duration_seconds: float


@dataclass(frozen=True)
class Proof:
    """What a restore into a scratch folder showed: rows of each table, and the migrations that were applied there."""

    name: str
    sha256: str
    rows: dict[str, int]
    migrated: list[str]


@dataclass(frozen=True)
class Restored:
    """What was put in place of the database; `kept` is where the old one is, `pending` what the next start migrates."""

    name: str
    size_bytes: int
    kept: str | None
    pending: list[str]


def name_at(stem: str, seconds: float, ending: str) -> str:
    """Return the name of a backup made at that time; the ending is `db.zst` or `dump`."""
    return f"{stem}-{datetime.fromtimestamp(seconds, UTC).strftime(STAMP)}.{ending}"


def made_at(name: str, stem: str) -> float | None:
    """Return when a backup of ours was made, to the second; None for every other name."""
    found = NAME.fullmatch(name)
    if found is None or found["stem"] != stem:
        return None
    try:
        return datetime.strptime(found["stamp"], STAMP).replace(tzinfo=UTC).timestamp()
    except ValueError:
        return None
