"""Stores, finds and deletes files."""

import time
from collections.abc import Collection, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, Any

import structlog
from sqlalchemy import Connection
from werkzeug.datastructures import FileStorage

from chassis.base.concurrency import Turns
from chassis.db import db
from chassis.errors import NotFound, UnsupportedMediaType
from chassis.files import images, store
from chassis.files.incoming import Incoming, room_for
from chassis.files.model import StoredFile, new_id, safe_name
from chassis.files.places import Place, folder_of, place_of
from chassis.files.receiving import incoming
from chassis.files.tables import files
from chassis.security import identity, ownership, quotas, uploads
from chassis.security.quotas import STORED_BYTES
from chassis.wiring import current_settings

log = structlog.get_logger(__name__)
WHAT = "file"
LONGEST_SHOWN = 100


@dataclass(frozen=True)
class Keeping:
    """Files whose content is stored, and whose rows are not: `insert(conn)` stores them in a transaction of yours."""

    files: list[StoredFile]
    owner: str

    def insert(self, conn: Connection) -> None:
        """Store the rows, and count the quotas; raise OverQuota."""
        if self.owner:
            sizes = sum(file.size for file in self.files)
            quotas.take(conn, self.owner, **{uploads.QUOTA: len(self.files), STORED_BYTES: sizes})
        store.insert(conn, self.files)


def keep(given: list[FileStorage], accept: tuple[str, ...], *, label: str = "") -> list[StoredFile]:
    """Store all of the uploaded files for the caller, or none; return them in the same order.

    `accept` lists media types, of which UPLOAD_TYPES allows some; `label` tells a feature's files apart. Images are
    re-encoded. Raises UnsupportedMediaType, PayloadTooLarge, OverQuota, and StorageFull.
    """
    with keeping(given, accept, label=label) as kept:
        db.write(kept.insert)
    return kept.files


@contextmanager
def keeping(given: list[FileStorage], accept: tuple[str, ...], *, label: str = "") -> Iterator[Keeping]:
    """Store files as `keep` does, and leave their rows to you, so that yours are stored with them or neither are.

    The content is deleted again when the block raises an error.
    """
    arrived = [incoming(file) for file in given]
    kinds = _kinds(arrived, given, accept)
    settings, owner = current_settings(), identity.current().owner
    with ExitStack() as undo:
        parts = _parts(arrived, kinds, given, undo)
        new = [
            StoredFile(new_id(), owner, label, safe_name(file.filename or "", kind), kind, size, sha256, time.time())
            for (_, kind, size, sha256), file in zip(parts, given, strict=True)
        ]
        _place(place_of(settings), [path for path, *_ in parts], new, undo)
        yield Keeping(new, owner)
        undo.pop_all()


def seen(file_id: str) -> StoredFile:
    """Return a file that the caller may see; raise NotFound otherwise."""
    file = _get(file_id)
    ownership.check_seen(file.owner, WHAT)
    return file


def listing(*, label: str | None = None, page: int = 1, per_page: int = 20) -> dict[str, Any]:
    """Return a page of the files that the caller may see, newest first, as APIs show it."""
    query = store.newest_first(label)
    return ownership.listing(query, files.c.owner, lambda row: StoredFile(**row).as_dict(), page, per_page)


def opened(file: StoredFile) -> IO[bytes]:
    """Return the content of a file; raise NotFound when it is gone."""
    place = place_of(current_settings())
    try:
        return room_for(lambda: place.open(file.id, file.size))
    except FileNotFoundError:
        raise NotFound(f"There is no such {WHAT}.") from None


def begin(content: IO[bytes], first: int) -> None:
    """Ask for the content from a byte on, so that what a bucket refuses is told before an answer has begun.

    Raises NotFound and StorageError.
    """
    try:
        content.seek(first)
        content.read(0)
    except FileNotFoundError:
        raise NotFound(f"There is no such {WHAT}.") from None


@contextmanager
def local(file: StoredFile) -> Iterator[Path]:
    """Yield a path with the content of a file, for other processes to read; raise NotFound when it is gone.

    It is the stored file itself, or, if a bucket holds it, a copy that is deleted at the end. Raises StorageFull when
    there is no room for the copy.
    """
    settings = current_settings()
    with ExitStack() as stack:
        try:
            found = place_of(settings).local(file.id, file.size, folder_of(settings))
            path = room_for(lambda: stack.enter_context(found))
        except FileNotFoundError:
            raise NotFound(f"There is no such {WHAT}.") from None
        yield path


def delete(file_id: str) -> StoredFile:
    """Delete a file and return what was known of it; raise NotFound or Forbidden when the caller may not."""
    file = _get(file_id)
    ownership.check_changed(file.owner, WHAT)
    db.write(lambda conn: store.remove(conn, [file_id]))
    erase([file_id])
    return file


def forget(conn: Connection, file_ids: Collection[str]) -> None:
    """Delete the rows of files in a transaction of yours; `erase` deletes their content, or later the job `cleanup`."""
    store.remove(conn, file_ids)


def erase(file_ids: Collection[str]) -> None:
    """Delete the content of files whose rows are gone, after the commit; the job `cleanup` repeats what fails."""
    place, turns = place_of(current_settings()), Turns()
    for file_id in file_ids:
        try:
            place.remove(file_id)
        except OSError as error:
            log.warning("file_not_erased_yet", file=file_id, reason=error.strerror)
        turns.give()


def _get(file_id: str) -> StoredFile:
    file = db.read(lambda conn: store.get(conn, file_id))
    if file is None:
        raise NotFound(f"There is no such {WHAT}.")
    return file


def _kinds(arrived: list[Incoming], given: list[FileStorage], accept: tuple[str, ...]) -> list[str]:
    """Return the media type of each file, with turns for other threads: each takes a millisecond."""
    kinds, turns = list[str](), Turns()
    for one, file in zip(arrived, given, strict=True):
        kinds.append(_accepted(one, file.filename or "", accept))
        turns.give()
    return kinds


def _accepted(one: Incoming, name: str, accept: tuple[str, ...]) -> str:
    """Return the media type of a file; raise UnsupportedMediaType when it is not accepted."""
    allowed = [kind for kind in accept if kind in uploads.allowed_types()]
    found = one.kind(name)
    if found not in allowed:
        why = f"The content of {name[:LONGEST_SHOWN]} is {found}"
        raise UnsupportedMediaType(f"{why}; accepted types: {' or '.join(allowed) or 'none'}.")
    return found


def _parts(
    arrived: list[Incoming], kinds: list[str], given: list[FileStorage], undo: ExitStack
) -> list[tuple[Path, str, int, str]]:
    """Return (path, kind, size, SHA-256) of each file, with images re-encoded."""
    parts = [(one.path, kind, one.size, one.sha256) for one, kind in zip(arrived, kinds, strict=True)]
    pictures = [number for number, kind in enumerate(kinds) if kind.startswith("image/")]
    if not pictures:
        return parts
    anew = [(str(given[n].filename)[:LONGEST_SHOWN], arrived[n].path, arrived[n].another()) for n in pictures]
    for _, _, target in anew:
        undo.callback(target.unlink, missing_ok=True)
    written = images.re_encode(anew, current_settings())
    for number, (_, _, target), kind in zip(pictures, anew, written, strict=True):
        parts[number] = (target, kind, *images.figures(target))
    return parts


def _place(place: Place, paths: list[Path], new: list[StoredFile], undo: ExitStack) -> None:
    for path, file in zip(paths, new, strict=True):
        undo.callback(place.remove, file.id)
        room_for(partial(place.add, path, file.id))


quotas.count_stored("files", store.stored_bytes)
