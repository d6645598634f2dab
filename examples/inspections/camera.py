"""Takes the images that a camera stores in a folder: each once, whenever this process or its machine dies."""

import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

from app.features.inspections import store, upload
from app.features.inspections.settings import InspectionSettings
from chassis import files
from chassis.base import BASE_DIR
from chassis.db import db
from chassis.errors import AppError, PayloadTooLarge, UnsupportedMediaType
from chassis.files import StoredFile
from chassis.jobs import JobContext
from chassis.wiring import current_settings

WATCH_SECONDS = 58.0  # the job is started each minute
LOOK_SECONDS = 1.0
SETTLED_SECONDS = 1.0  # a file that changed more recently may still be written
PIECE_BYTES = 65_536
REFUSED = "refused"


def watch(context: JobContext) -> None:
    """Look into the folder each second, until the next run of the job."""
    until, taken = time.monotonic() + WATCH_SECONDS, 0
    folder = BASE_DIR / current_settings().section(InspectionSettings).inspection_camera_folder
    while time.monotonic() < until:
        try:
            taken += look(context, folder)
        except (AppError, OSError) as error:  # such as a full disk or a share that is away: the files stay there
            context.log.warning("camera_waits", reason=str(error))
        context.progress(taken, taken, f"{taken} images")
        context.wait(LOOK_SECONDS)


def look(context: JobContext, folder: Path) -> int:
    """Take what is in the folder as one inspection; return the number of images.

    A file is deleted after it was stored. If this process dies in between, its `origin` says so the next time.
    """
    found = dict(_settled(folder, current_settings().max_files_per_batch))
    for origin in db.read(lambda conn: store.taken(conn, list(found))):
        found.pop(origin).unlink(missing_ok=True)
    kept = {origin: file for origin, path in found.items() if (file := _kept(context, path))}
    if kept:
        upload.made_of(list(kept.values()), f"Camera, {len(kept)} images", "camera", list(kept))
    for origin in kept:
        found[origin].unlink(missing_ok=True)
    return len(kept)


def _settled(folder: Path, most: int) -> Iterator[tuple[str, Path]]:
    """Yield (origin, path) of files that are complete, the oldest first."""
    files = [(path.stat(), path) for path in folder.iterdir() if path.is_file() and not path.name.startswith(".")]
    for state, path in sorted(files, key=lambda file: (file[0].st_mtime_ns, file[1].name))[:most]:
        if time.time() - state.st_mtime >= SETTLED_SECONDS:
            yield f"{path.name}:{state.st_mtime_ns}:{state.st_size}", path


def _kept(context: JobContext, path: Path) -> StoredFile | None:
    """Store an image; one that is refused is moved aside, and does not hold up the others."""
    try:
        with ExitStack() as stack:
            pieces = _pieces(path)
            arrived = stack.enter_context(files.arriving([(path.name, pieces)]))
            return files.keep(arrived, upload.TYPES, label=upload.LABEL)[0]
    except (UnsupportedMediaType, PayloadTooLarge) as error:
        context.log.warning("camera_image_refused", name=path.name, reason=error.message)
        aside = path.parent / REFUSED
        aside.mkdir(exist_ok=True)
        path.replace(aside / path.name)
        return None


def _pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(PIECE_BYTES):
            yield piece
