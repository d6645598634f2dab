"""Places that keep backups: a folder, or a prefix of a bucket in S3-compatible storage."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Protocol

from sqlalchemy.engine import make_url

from chassis.base.environment import BASE_DIR
from chassis.db import s3
from chassis.db.backup.model import SIDECAR, BackupError, Report, made_at
from chassis.db.lock import file_lock
from chassis.db.snapshot.install import sync
from chassis.settings import Settings

FOLDER_MODE = 0o770
SCRATCH = ".verify"


class Place(Protocol):
    """Holds files by name; a file appears only when it is complete."""

    shown: str
    staging: Path

    def sizes(self) -> dict[str, int]: ...
    def read_text(self, name: str) -> str: ...
    def add(self, path: Path, name: str, told: Callable[[int], None]) -> None: ...
    def remove(self, name: str) -> None: ...
    def url(self, name: str) -> str: ...


class Folder:
    """A folder of this machine."""

    def __init__(self, path: Path) -> None:
        self.shown, self.staging = str(path), path

    def sizes(self) -> dict[str, int]:
        """Return {name: bytes}."""
        if not self.staging.is_dir():
            return {}
        return {path.name: path.stat().st_size for path in self.staging.iterdir() if path.is_file()}

    def read_text(self, name: str) -> str:
        """Return the content of a small file."""
        return (self.staging / name).read_text(errors="replace")

    def add(self, path: Path, name: str, told: Callable[[int], None]) -> None:
        """Rename a file of the staging folder to its name, durably."""
        path.replace(self.staging / name)
        sync(self.staging)

    def remove(self, name: str) -> None:
        """Remove a file if it exists."""
        (self.staging / name).unlink(missing_ok=True)

    def url(self, name: str) -> str:
        """Return the file's URL."""
        return (self.staging / name).resolve().as_uri()


class Bucket:
    """A prefix of a bucket; uploads are prepared in a local folder."""

    def __init__(self, url: str, staging: Path) -> None:
        self.shown, self.staging = url.rstrip("/"), staging

    def sizes(self) -> dict[str, int]:
        """Return {name: bytes}."""
        return s3.sizes(self.shown)

    def read_text(self, name: str) -> str:
        """Return the content of a small file."""
        return s3.read_text(self.url(name))

    def add(self, path: Path, name: str, told: Callable[[int], None]) -> None:
        """Upload a file and remove the local one."""
        s3.upload(path, self.url(name), told)
        path.unlink()

    def remove(self, name: str) -> None:
        """Remove a file if it exists."""
        s3.delete(self.url(name))

    def url(self, name: str) -> str:
        """Return the file's URL."""
        return f"{self.shown}/{name}"


def place_of(settings: Settings, to: str = "") -> Place:
    """Return the place that `to` names, a folder or `s3://bucket/prefix`; by default that of BACKUP_TO."""
    beside = settings.sqlite_path.parent / "backups" if settings.sqlite_path else BASE_DIR / "data/backups"
    wanted = to or settings.backup_to
    if "://" not in wanted:
        return Folder(BASE_DIR / wanted if wanted else beside)
    if not wanted.startswith("s3://") or not s3.parts_of(wanted)[0]:
        raise BackupError("Backups go to a folder or to s3://bucket/prefix: correct BACKUP_TO or --to.")
    return Bucket(wanted, beside)


def stem_of(settings: Settings) -> str:
    """Return the prefix of the names of this database's backups."""
    path = settings.sqlite_path
    return path.stem if path else str(make_url(settings.database_url.get_secret_value()).database)


@contextmanager
def alone(place: Place, settings: Settings, report: Report) -> Iterator[Path]:
    """Lock the staging folder for one process, and remove the leftovers of killed ones."""
    folder = place.staging
    try:
        folder.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
        file = (folder / ".lock").open("w")
    except OSError as error:
        raise BackupError(f"The folder {folder} cannot be written to ({error.strerror}): check BACKUP_TO.") from None
    with file_lock(file, lambda: report("waiting for another process that makes or verifies a backup")):
        remove_leftovers(folder, stem_of(settings))
        try:
            yield folder
        finally:
            remove_leftovers(folder, stem_of(settings))


def temporary(folder: Path, name: str, what: str) -> Path:
    """Return the path of a temporary file that belongs to `name`."""
    return folder / f".{name}.{what}"


def remove_leftovers(folder: Path, stem: str) -> None:
    """Remove partial files, and checksums without a backup; the caller holds the folder's lock."""
    shutil.rmtree(folder / SCRATCH, ignore_errors=True)
    names = {path.name for path in folder.iterdir()}
    for name in names:
        data = name.removesuffix(SIDECAR)
        hidden = name.startswith(f".{stem}-") and made_at(name[1:].partition("Z.")[0] + "Z.dump", stem)
        orphan = name.endswith(SIDECAR) and made_at(data, stem) and data not in names
        if hidden or orphan:
            with suppress(OSError):
                (folder / name).unlink()
