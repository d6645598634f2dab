"""Deletes temporary files that killed processes of this application left behind, and uploaded files without a row."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from chassis.base.concurrency import run_in_thread
from chassis.files.places import folder_of
from chassis.files.sweep import sweep
from chassis.jobs import JobContext, job
from chassis.wiring import current_settings

AGE_SECONDS = 86_400
ENDINGS = (".download", ".copy", ".part", ".tmp")  # of hidden files: complete files have other names


@job(
    "cleanup",
    schedule=lambda settings: settings.cleanup_schedule,
    stall="requeue",
    missed="skip",
    title="Delete leftover files",
)
def cleanup(context: JobContext, payload: dict[str, Any]) -> None:
    """Delete temporary files, and uploaded ones whose row was deleted, that are older than a day."""
    settings, before = current_settings(), time.time() - AGE_SECONDS
    folders = {settings.data_folder, folder_of(settings)}
    gone = run_in_thread(lambda: [path for folder in folders for path in delete(folder, before)])
    orphans = sweep(settings, before, context.wait)
    context.progress(1, 1, f"deleted {len(gone) + orphans} files")
    context.log.info("cleanup_done", files=[str(path) for path in gone], orphans=orphans)


def delete(folder: Path, before: float) -> list[Path]:
    """Delete old temporary files in a folder and one level below it; return them."""
    gone = []
    for path in _temporary(folder):
        try:
            if path.lstat().st_mtime < before:
                path.unlink()
                gone.append(path)
        except OSError:
            continue  # another process deleted it, or this user has no permission
    return gone


def _temporary(folder: Path) -> Iterator[Path]:
    for path in [*folder.glob(".*"), *folder.glob("*/.*")]:
        if path.name.endswith(ENDINGS) and path.is_file() and not path.is_symlink():
            yield path
