"""Where files are stored: a folder, or a prefix of a bucket in S3-compatible storage."""

import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path
from typing import IO, Any, Protocol

from chassis.base.concurrency import run_in_thread
from chassis.base.environment import BASE_DIR
from chassis.db import s3
from chassis.db.disk import make_private
from chassis.files.model import made_at
from chassis.settings import Settings

FOLDER_MODE = 0o770
FOLDER = "files"


class Place(Protocol):
    """Holds files by id."""

    def add(self, part: Path, file_id: str) -> None: ...
    def open(self, file_id: str, size: int) -> IO[bytes]: ...
    def local(self, file_id: str, size: int, folder: Path) -> AbstractContextManager[Path]: ...
    def remove(self, file_id: str) -> None: ...
    def ids(self) -> Iterator[str]: ...


class Folder:
    """A folder of this machine, with 256 folders in it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def add(self, part: Path, file_id: str) -> None:
        """Sync a part file, and move it to its place on the same file system."""
        target = self._path(file_id)

        def move() -> None:
            target.parent.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
            with part.open("rb") as file:
                os.fsync(file.fileno())
            part.replace(target)

        run_in_thread(move)

    def open(self, file_id: str, size: int) -> IO[bytes]:
        """Return the open file; raise FileNotFoundError."""
        return self._path(file_id).open("rb")

    @contextmanager
    def local(self, file_id: str, size: int, folder: Path) -> Iterator[Path]:
        """Yield the path of a file; raise FileNotFoundError."""
        path = self._path(file_id)
        path.stat()
        yield path

    def remove(self, file_id: str) -> None:
        """Remove a file if it exists."""
        self._path(file_id).unlink(missing_ok=True)

    def ids(self) -> Iterator[str]:
        """Yield the ids of all files."""
        return (path.name for path in self.path.glob("??/*") if made_at(path.name) is not None)

    def _path(self, file_id: str) -> Path:
        return self.path / file_id[-2:] / file_id


class Bucket:
    """A prefix of a bucket."""

    def __init__(self, url: str) -> None:
        self._url = url.rstrip("/")

    def add(self, part: Path, file_id: str) -> None:
        """Upload a part file, and remove it."""
        s3.upload(part, f"{self._url}/{file_id}", lambda _: None)
        part.unlink()

    def open(self, file_id: str, size: int) -> IO[bytes]:
        """Return the content, which is requested at the first read; that raises FileNotFoundError or StorageError."""
        content: Any = _Remote(f"{self._url}/{file_id}", size)
        return content  # type: ignore[no-any-return]

    @contextmanager
    def local(self, file_id: str, size: int, folder: Path) -> Iterator[Path]:
        """Yield the path of a copy in `folder`, which is deleted at the end; raise FileNotFoundError."""
        path = folder / f".{secrets.token_hex(16)}.part"
        folder.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
        try:
            self._copy(file_id, size, path)
            yield path
        finally:
            path.unlink(missing_ok=True)

    def _copy(self, file_id: str, size: int, path: Path) -> None:
        with closing(self.open(file_id, size)) as content, make_private(path).open("wb") as copy:
            shutil.copyfileobj(content, copy)

    def remove(self, file_id: str) -> None:
        """Remove a file if it exists."""
        s3.delete(f"{self._url}/{file_id}")

    def ids(self) -> Iterator[str]:
        """Yield the ids of all files."""
        return (name for name in s3.sizes(self._url) if made_at(name) is not None)


class _Remote:
    """A file of a bucket that can be read from any byte on."""

    def __init__(self, url: str, size: int) -> None:
        self._url, self._size, self._at = url, size, 0
        self._body: Any = None

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        at = offset + {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._size}[whence]
        if at != self._at:
            self.close()
        self._at = at
        return at

    def tell(self) -> int:
        return self._at

    def read(self, size: int = -1) -> bytes:
        if self._at >= self._size:
            return b""
        try:
            self._body = self._body or s3.stream(self._url, self._at)
        except s3.Missing:
            raise FileNotFoundError(self._url) from None
        with s3.explained(self._url):
            piece: bytes = self._body.read(None if size < 0 else size)
        if size and not piece:
            raise s3.StorageError(f"{self._url} has less than the {self._size:,} bytes that were stored there.")
        self._at += len(piece)
        return piece

    def close(self) -> None:
        body, self._body = self._body, None
        if body is not None:
            body.close()


def place_of(settings: Settings) -> Place:
    """Return where files are stored."""
    return Bucket(settings.files_to) if settings.files_to.startswith("s3://") else Folder(folder_of(settings))


def folder_of(settings: Settings) -> Path:
    """Return the folder of stored files, or, where a bucket holds them, of those that are being received."""
    if settings.files_to and "://" not in settings.files_to:
        return BASE_DIR / settings.files_to
    return settings.data_folder / FOLDER
