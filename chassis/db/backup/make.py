"""Makes a backup: check the space, copy, check, pack, checksum, and only then its name."""

import time
from collections.abc import Callable
from pathlib import Path

from chassis.db.backup import memory
from chassis.db.backup.copy import copy_database, problem_of
from chassis.db.backup.dumps import dump
from chassis.db.backup.faults import explained
from chassis.db.backup.model import SIDECAR, BackupError, Made, Report, name_at
from chassis.db.backup.pack import create_private, pack
from chassis.db.backup.places import Place, alone, place_of, stem_of, temporary
from chassis.db.disk import free_bytes_of
from chassis.db.snapshot.progress import Progress
from chassis.settings import Settings

STAND = "The earlier backups are unchanged."
PACKED_SHARE = 0.5  # expected size of a packed backup at most, as a share of the database


def make(
    settings: Settings, *, to: str = "", report: Report, free_bytes: Callable[[Path], int] = free_bytes_of
) -> Made:
    """Make a backup of the current database, in BACKUP_TO or in the given folder or `s3://bucket/prefix`.

    `report` gets lines of progress. Raises BackupError or StorageError with what to do; earlier backups are then
    unchanged, and no partial files are left.
    """
    started, place = time.monotonic(), place_of(settings, to)
    remembered = memory.failure_remembered(settings, "backup")
    with remembered, alone(place, settings, report) as folder, explained(folder, STAND):
        now, name = _new_name(place, settings)
        packed, total, checksum = _produce(settings, folder, name, report, free_bytes)
        size = packed.stat().st_size
        _store(place, folder, name, packed, checksum, report)
        made = Made(name, place.shown, size, total, checksum, now, round(time.monotonic() - started, 3))
    memory.remember_made(settings, made)
    return made


def _new_name(place: Place, settings: Settings) -> tuple[float, str]:
    """Return the time and an unused name; two backups in the same second would have the same name."""
    there, ending = place.sizes(), "db.zst" if settings.sqlite_path else "dump"
    while True:
        now = float(int(time.time()))
        name = name_at(stem_of(settings), now, ending)
        if name not in there:
            return now, name
        time.sleep(0.1)


def _produce(
    settings: Settings, folder: Path, name: str, report: Report, free_bytes: Callable[[Path], int]
) -> tuple[Path, int, str]:
    packed, source = temporary(folder, name, "part"), settings.sqlite_path
    if source is None:
        return packed, *dump(settings.database_url.get_secret_value(), packed, report)
    if not source.is_file():
        raise BackupError(f"There is no database at {source} yet: start the service once, or check DATABASE_URL.")
    _require_room(source, folder, free_bytes)
    copy = temporary(folder, name, "copy")
    create_private(copy)
    total = copy_database(source, copy, Progress(report, "copied"))
    if problem := problem_of(copy):
        raise BackupError(f"The database is damaged ({problem}) and was not backed up: restore an earlier backup.")
    checksum = pack(copy, packed, Progress(report, "packed"))
    copy.unlink()
    return packed, total, checksum


def _require_room(source: Path, folder: Path, free_bytes: Callable[[Path], int]) -> None:
    log = source.with_name(f"{source.name}-wal")
    size = source.stat().st_size + (log.stat().st_size if log.exists() else 0)
    needed, free = size * (1 + PACKED_SHARE), free_bytes(folder)
    if needed > free:
        raise BackupError(
            f"The backup needs {needed / 1e6:.1f} MB and {folder} has {free / 1e6:.1f} MB left: free some space "
            f"there, or point BACKUP_TO at a larger disk. {STAND}"
        )


def _store(place: Place, folder: Path, name: str, packed: Path, checksum: str, report: Report) -> None:
    """Add the checksum before the backup, so that a backup never appears without one."""
    sidecar = temporary(folder, name, "sum")
    create_private(sidecar)
    with sidecar.open("w") as file:
        file.write(f"{checksum}  {name}\n")
    total, sent, progress = packed.stat().st_size, 0, Progress(report, "uploaded")

    def told(some: int) -> None:
        nonlocal sent
        sent += some
        progress(sent, total)

    place.add(sidecar, f"{name}{SIDECAR}", lambda _: None)
    place.add(packed, name, told)
