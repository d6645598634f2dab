"""The actions on documents: keep, show, delete."""

import time
from contextlib import suppress
from typing import Any

from sqlalchemy import Connection, RowMapping
from werkzeug.datastructures import FileStorage

from app.features.chat import library, reading
from app.features.chat.model import model
from app.features.chat.tables import documents
from chassis import files, jobs
from chassis.db import db
from chassis.errors import AppError, NotFound
from chassis.security import ownership

KIND = "chat_document"
WHAT = "document"
PDF = "application/pdf"  # whose size says nothing about its text


def keep(given: list[FileStorage]) -> list[dict[str, Any]]:
    """Store documents with a job for each, all or none, and return them."""
    model.check()
    kept = files.keep(given, reading.KINDS, label="chat")
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
    return ownership.listing(library.NEWEST_FIRST, documents.c.owner, library.shown, page, per_page)


def get(document_id: str) -> dict[str, Any]:
    """Return a document that the caller may see; raise NotFound."""
    return library.shown(_found(document_id))


def remove(document_id: str) -> None:
    """Delete a document, its chunks and its file; a job that reads it ends."""
    row = _found(document_id)
    ownership.check_changed(row["owner"], WHAT)
    with suppress(AppError):  # it has ended
        jobs.cancel(row["job_id"])
    db.write(lambda conn: library.remove(conn, document_id))
    with suppress(NotFound):
        files.delete(document_id)


def _stored(kept: list[files.StoredFile]) -> list[dict[str, Any]]:
    queued = [jobs.new_job(KIND, {"document_id": file.id}) for file in kept]
    rows: list[dict[str, Any]] = [
        {"id": file.id, "job_id": job.id, "owner": file.owner, "name": file.name, "created_at": time.time()}
        for job, file in zip(queued, kept, strict=True)
    ]

    def write(conn: Connection) -> None:
        for job in queued:
            jobs.insert(conn, job)
        library.insert(conn, rows)

    db.write(write)
    for job in queued:
        jobs.announce(job)
    return [get(file.id) for file in kept]


def _found(document_id: str) -> RowMapping:
    row = db.read(lambda conn: library.get(conn, document_id))
    if row is None:
        raise NotFound(f"There is no such {WHAT}.")
    ownership.check_seen(row["owner"], WHAT)
    return row
