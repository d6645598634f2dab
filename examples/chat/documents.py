"""The actions on documents: keep, show, delete."""

import time
from contextlib import suppress
from typing import Any

from sqlalchemy import Connection
from werkzeug.datastructures import FileStorage

from app.features.chat import library
from app.features.chat.model import model
from app.features.chat.tables import documents
from chassis import files, jobs
from chassis.db import db
from chassis.errors import AppError
from chassis.security import ownership

KIND = "chat_document"
WHAT = "document"
PDF = "application/pdf"  # whose size says nothing about its text


def keep(given: list[FileStorage]) -> list[dict[str, Any]]:
    """Store documents with a job for each, all or none, and return them."""
    with files.keeping(given, files.TEXT_TYPES, label="chat") as kept:
        model.check(index_bytes=sum(file.size for file in kept.files if file.kind != PDF))
        queued = [jobs.new_job(KIND, {"document_id": file.id}) for file in kept.files]
        rows: list[dict[str, Any]] = [
            {"id": file.id, "job_id": job.id, "owner": file.owner, "name": file.name, "created_at": time.time()}
            for job, file in zip(queued, kept.files, strict=True)
        ]

        def write(conn: Connection) -> None:
            kept.insert(conn)
            for job in queued:
                jobs.insert(conn, job)
            library.insert(conn, rows)

        db.write(write)
    for job in queued:
        jobs.announce(job)
    return [get(row["id"]) for row in rows]


def listing(page: int, per_page: int) -> dict[str, Any]:
    """Return a page of the documents that the caller may list, newest first."""
    return ownership.listing(library.NEWEST_FIRST, documents.c.owner, library.shown, page, per_page)


def get(document_id: str) -> dict[str, Any]:
    """Return a document that the caller may see; raise NotFound."""
    return library.shown(ownership.seen(db.read(lambda conn: library.get(conn, document_id)), WHAT))


def remove(document_id: str) -> None:
    """Delete a document, its passages and its file; a job that reads it ends."""
    row = ownership.changeable(db.read(lambda conn: library.get(conn, document_id)), WHAT)
    with suppress(AppError):  # it has ended
        jobs.cancel(row["job_id"])
    db.write(lambda conn: library.remove(conn, document_id))
    files.erase([document_id])
