"""Lists backups, and removes old ones."""

import time

from chassis.base.times import DAY_SECONDS
from chassis.db import s3
from chassis.db.backup import memory
from chassis.db.backup.model import SIDECAR, Backup, files_of, made_at
from chassis.db.backup.places import Place, place_of, stem_of
from chassis.settings import Settings


def listing(settings: Settings, *, to: str = "") -> list[Backup]:
    """Return the backups in BACKUP_TO or in the given place, newest first."""
    place = place_of(settings, to)
    sizes, proofs = place.sizes(), memory.proofs(settings)
    found = []
    for name, when in _ours(sizes, settings).items():
        proven = proofs.get(name, {}).get("proven_at")
        checksum = _checksum(place, name) if f"{name}{SIDECAR}" in sizes else ""
        found.append(Backup(name, sizes[name], when, checksum, proven))
    return sorted(found, key=lambda backup: backup.made_at, reverse=True)


def prune(settings: Settings) -> list[str]:
    """Remove backups older than BACKUP_KEEP_DAYS from BACKUP_TO; return their names.

    The newest BACKUP_KEEP_COUNT are kept whatever their age, and so is the newest that was restored as a test. Files
    with other names are never touched.
    """
    place, proofs = place_of(settings), memory.proofs(settings)
    there = place.sizes()
    ours = _ours(there, settings)
    newest = sorted(ours, key=lambda name: ours[name], reverse=True)
    kept = {*newest[: settings.backup_keep_count], *[name for name in newest if name in proofs][:1]}
    oldest = time.time() - settings.backup_keep_days * DAY_SECONDS
    gone = [name for name in newest if name not in kept and ours[name] < oldest]
    for name in gone:
        for file in (name, *[file for file in [files_of(name)] if file in there]):
            place.remove(file)
            place.remove(f"{file}{SIDECAR}")
    return gone


def _ours(names: dict[str, int], settings: Settings) -> dict[str, float]:
    stem = stem_of(settings)
    return {name: when for name in names if (when := made_at(name, stem)) is not None}


def _checksum(place: Place, name: str) -> str:
    try:
        return place.read_text(f"{name}{SIDECAR}").split(" ")[0].strip()
    except (OSError, s3.StorageError):  # removed meanwhile
        return ""
