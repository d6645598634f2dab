"""Deletes temporary files that a killed process of this application left in its data folder."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from chassis.base.concurrency import run_in_thread
from chassis.jobs import JobContext, job
from chassis.wiring import current_settings

AGE_SECONDS = 86_400
ENDINGS = (".download", ".copy", ".part", ".tmp")  # of hidden files: what is whole has its own name


@job("cleanup", schedule=lambda settings: settings.cleanup_schedule, stall="requeue", missed="skip")
def cleanup(context: JobContext, payload: dict[str, Any]) -> None:
    """Delete them."""
    settings = current_settings()
    gone = run_in_thread(lambda: delete(settings.data_folder, time.time() - AGE_SECONDS))
    context.progress(len(gone), len(gone), f"deleted {len(gone)} files")
    context.log.info("cleanup_done", files=[str(path) for path in gone])


def delete(folder: Path, before: float) -> list[Path]:
    """Delete the temporary files in a folder and one level below that nobody wrote to since; return them."""
    gone = []
    for path in _temporary(folder):
        try:
            if path.lstat().st_mtime < before:
                path.unlink()
                gone.append(path)
        except OSError:
            continue  # somebody else was first, or may and we may not
    return gone


def _temporary(folder: Path) -> Iterator[Path]:
    for path in [*folder.glob(".*"), *folder.glob("*/.*")]:
        if path.name.endswith(ENDINGS) and path.is_file() and not path.is_symlink():
            yield path
