"""The actions on documents: keep, show, try again, delete."""

import time
import uuid
from contextlib import suppress
from typing import Any

from sqlalchemy import Connection, RowMapping
from werkzeug.datastructures import FileStorage

from app.features.chat import library, reading
from app.features.chat.model import model
from chassis import files, jobs
from chassis.db import db
from chassis.errors import AppError, Conflict, NotFound
from chassis.security import ownership

KIND = "chat_document"
LABEL = "chat"
WHAT = "document"
PDF = "application/pdf"  # whose size says nothing about its text


def keep(given: list[FileStorage]) -> list[dict[str, Any]]:
    """Store documents with a job for each, all or none, and return them."""
    model.check()
    kept = files.keep(given, reading.KINDS, label=LABEL)
    try:
        model.check(index_bytes=sum(file.size for file in kept if file.kind != PDF))
        return _stored(kept)
    except BaseException:
        for file in kept:
            with suppress(AppError):
                files.delete(file.id)
        raise


def listing(page: int, per_page: int) -> dict[str, Any]:
    """Return a page of the documents that the caller may list, newest first."""
    owner, offset = ownership.seen_owner(), (page - 1) * per_page
    rows, total = db.read(lambda conn: library.listing(conn, owner, limit=per_page, offset=offset), unbounded=True)
    return {"items": [library.shown(row) for row in rows], "page": page, "per_page": per_page, "total": total}


def get(document_id: str) -> dict[str, Any]:
    """Return a document that the caller may see; raise NotFound."""
    row = _found(document_id)
    ownership.check_seen(row["owner"], WHAT)
    return library.shown(row)


def retry(document_id: str) -> dict[str, Any]:
    """Read a document again; raise Conflict when that is not needed."""
    row = _own(document_id)
    if row["indexed_at"]:
        raise Conflict("The document has been read already.")
    model.check()
    if row["state"] is None:
        raise Conflict("The document is too old to be read again: upload it once more.")
    jobs.requeue(row["job_id"])
    return get(document_id)


def remove(document_id: str) -> None:
    """Delete a document, its chunks and its file."""
    row = _own(document_id)
    with suppress(AppError):  # it has ended
        jobs.cancel(row["job_id"])
    db.write(lambda conn: library.remove(conn, [document_id]))
    with suppress(NotFound):
        files.delete(row["file_id"])


def _stored(kept: list[files.StoredFile]) -> list[dict[str, Any]]:
    ids = [uuid.uuid4().hex for _ in kept]
    queued = [jobs.new_job(KIND, {"document_id": document_id}) for document_id in ids]
    now = time.time()
    rows: list[dict[str, Any]] = [
        {"id": one, "job_id": job.id, "file_id": file.id, "created_at": now}
        | {name: getattr(file, name) for name in ("owner", "name", "size")}
        for one, job, file in zip(ids, queued, kept, strict=True)
    ]

    def write(conn: Connection) -> None:
        for job in queued:
            jobs.insert(conn, job)
        library.insert(conn, rows)

    db.write(write)
    for job in queued:
        jobs.announce(job)
    return [get(one) for one in ids]


def _found(document_id: str) -> RowMapping:
    row = db.read(lambda conn: library.get(conn, document_id))
    if row is None:
        raise NotFound(f"There is no such {WHAT}.")
    return row


def _own(document_id: str) -> RowMapping:
    row = _found(document_id)
    ownership.check_changed(row["owner"], WHAT)
    return row
