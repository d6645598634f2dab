"""Backs up the stored files beside a backup of the database, and puts them back."""

import hashlib
import shutil
import tarfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import IO, Any

from chassis.base.compression import zstd
from chassis.db import s3
from chassis.db.backup.faults import explained
from chassis.db.backup.fetching import NEWEST
from chassis.db.backup.model import SIDECAR, BackupError, Report, files_of
from chassis.db.backup.pack import PIECE_BYTES, create_private
from chassis.db.backup.places import Bucket, Folder, alone, place_of, temporary
from chassis.db.backup.places import Place as BackupPlace
from chassis.db.backup.retention import listing
from chassis.db.disk import make_private
from chassis.files.model import made_at
from chassis.files.places import FOLDER_MODE, folder_of
from chassis.settings import Settings

STAND = "The backup of the database is complete."
UNCHANGED = "The stored files are unchanged."
IN_BUCKET = "Uploaded files are in {place}, which these commands leave alone: turn on the bucket's versions."


class _Packer:
    """Compresses and hashes what tarfile writes."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file, self._packer, self.digest = file, zstd.ZstdCompressor(), hashlib.sha256()

    def write(self, data: bytes) -> int:
        self._put(self._packer.compress(data))
        return len(data)

    def finish(self) -> None:
        self._put(self._packer.flush())

    def _put(self, packed: bytes) -> None:
        self.digest.update(packed)
        self._file.write(packed)


def make(settings: Settings, of: str, report: Report, *, to: str = "") -> str:
    """Pack all stored files beside the backup named `of`, of the same place; return a sentence that says what was done.

    Files that arrive meanwhile are left out: the database was copied before, and does not know them.
    """
    if settings.files_to.startswith("s3://"):
        return IN_BUCKET.format(place=settings.files_to)
    place, name, stored = place_of(settings, to), files_of(of), folder_of(settings)
    with alone(place, settings, report) as folder, explained(folder, STAND):
        part, sidecar = temporary(folder, name, "part"), temporary(folder, name, "sum")
        count, checksum = _pack(stored, part)
        create_private(sidecar)
        sidecar.write_text(f"{checksum}  {name}\n")
        size = part.stat().st_size
        place.add(sidecar, f"{name}{SIDECAR}", lambda _: None)
        place.add(part, name, lambda _: None)
    return f"made {place.shown}/{name}, {count:,} files, {size / 1e6:.1f} MB"


def _pack(stored: Path, part: Path) -> tuple[int, str]:
    create_private(part)
    count = 0
    with part.open("wb") as file:
        packer: Any = _Packer(file)
        with tarfile.open(fileobj=packer, mode="w|", bufsize=PIECE_BYTES) as archive:
            for path in sorted(stored.glob("??/*")):
                if made_at(path.name) is not None and _added(archive, path, f"{path.parent.name}/{path.name}"):
                    count += 1
        packer.finish()
    return count, packer.digest.hexdigest()


def _added(archive: tarfile.TarFile, path: Path, name: str) -> bool:
    """Add a file, unless it was deleted meanwhile."""
    try:
        with path.open("rb") as file:
            archive.addfile(archive.gettarinfo(arcname=name, fileobj=file), file)
    except FileNotFoundError:
        return False
    return True


def checked(wanted: str, settings: Settings) -> str:
    """Return the name or file of a backup that `latest` or a name means; raise BackupError when it has no files."""
    if wanted == NEWEST:
        wanted = next((one.name for one in listing(settings)), wanted)
    if not settings.files_to.startswith("s3://"):
        _found(wanted, settings)
    return wanted


def restore(wanted: str, settings: Settings, report: Report) -> str:
    """Replace the stored files by those beside a backup, a name in BACKUP_TO or a file; return what was done.

    Raises BackupError when they are missing or damaged; then the stored files are unchanged.
    """
    if settings.files_to.startswith("s3://"):
        return IN_BUCKET.format(place=settings.files_to)
    stored = folder_of(settings)
    place, name = _found(wanted, settings)
    stored.parent.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
    fetched, unpacked = stored.parent / f".{name}.part", stored.parent / f".{name}.unpacked"
    try:
        with explained(stored.parent, UNCHANGED):
            _fetch(place, name, fetched)
            count = _unpack(fetched, unpacked)
            kept = _swap(unpacked, stored, name)
    finally:
        fetched.unlink(missing_ok=True)
        shutil.rmtree(unpacked, ignore_errors=True)
    return f"restored {count:,} files" + (f"; the earlier ones are now in {kept}" if kept else "")


def _found(wanted: str, settings: Settings) -> tuple[BackupPlace, str]:
    path = Path(wanted).resolve()
    place: BackupPlace = Folder(path.parent) if path.is_file() else place_of(settings)
    name = files_of(path.name)
    if name not in place.sizes():
        raise BackupError(f"There is no {name} in {place.shown}: was the backup made with --files?")
    return place, name


def _fetch(place: BackupPlace, name: str, target: Path) -> None:
    """Copy an archive, and check it against its checksum."""
    target.unlink(missing_ok=True)
    digest = hashlib.sha256()
    with _reading(place, name) as source, make_private(target).open("wb") as file:
        while piece := source.read(PIECE_BYTES):
            digest.update(piece)
            file.write(piece)
    expected = place.read_text(f"{name}{SIDECAR}").split(" ")[0].strip()
    if digest.hexdigest() != expected:
        raise BackupError(f"{name} is damaged: its SHA-256 is not {expected}. {UNCHANGED}")


@contextmanager
def _reading(place: BackupPlace, name: str) -> Iterator[Any]:
    with closing(
        s3.stream(place.url(name)) if isinstance(place, Bucket) else (place.staging / name).open("rb")
    ) as file:
        yield file


def _unpack(archive: Path, target: Path) -> int:
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(mode=FOLDER_MODE)
    count = 0
    with zstd.open(archive, "rb") as plain, tarfile.open(fileobj=plain, mode="r|") as files:
        for member in files:
            files.extract(member, target, filter="data")
            count += 1
    return count


def _swap(unpacked: Path, stored: Path, name: str) -> Path | None:
    """Put the folder in its place; return where the earlier one is."""
    kept = None
    if stored.exists():
        kept = stored.with_name(f"{stored.name}-before-{name.removesuffix('.tar.zst')}")
        number = 1
        while kept.exists():
            number += 1
            kept = kept.with_name(f"{stored.name}-before-{name.removesuffix('.tar.zst')}-{number}")
        stored.rename(kept)
    unpacked.rename(stored)
    return kept
