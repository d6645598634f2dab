"""All SQL of documents and their chunks."""

from typing import Any

from sqlalchemy import Connection, RowMapping, delete, select, update

from app.features.chat.tables import chunks, documents
from chassis.base import iso
from chassis.jobs import FAILED
from chassis.jobs import jobs_table as jobs

READY = "ready"
WITH_JOBS = select(documents, jobs.c.state, jobs.c.error).outerjoin(jobs, jobs.c.id == documents.c.job_id)
NEWEST_FIRST = WITH_JOBS.order_by(documents.c.created_at.desc(), documents.c.name, documents.c.id)


def insert(conn: Connection, rows: list[dict[str, Any]]) -> None:
    """Store new documents."""
    conn.execute(documents.insert(), [{"chunks": 0, "embedder": "", **row} for row in rows])


def get(conn: Connection, document_id: str) -> RowMapping | None:
    """Return a document with the state of its job, or None."""
    return conn.execute(WITH_JOBS.where(documents.c.id == document_id)).mappings().first()


def begin(conn: Connection, document_id: str, embedder: str) -> bool:
    """Forget the chunks of an earlier attempt; return False if the document is gone."""
    conn.execute(delete(chunks).where(chunks.c.document_id == document_id))
    return _change(conn, document_id, chunks=0, embedder=embedder, indexed_at=None)


def add(conn: Connection, document_id: str, rows: list[dict[str, Any]]) -> bool:
    """Store chunks; return False if the document is gone."""
    if not _change(conn, document_id, chunks=documents.c.chunks + len(rows)):
        return False
    conn.execute(chunks.insert(), [{"document_id": document_id, **row} for row in rows])
    return True


def end(conn: Connection, document_id: str, now: float) -> bool:
    """Note that all chunks are stored."""
    return _change(conn, document_id, indexed_at=now)


def remove(conn: Connection, document_id: str) -> None:
    """Delete a document with its chunks."""
    conn.execute(delete(documents).where(documents.c.id == document_id))


def delete_old(conn: Connection, before: float, limit: int) -> int:
    """Delete up to `limit` rows of documents from before a time, first their chunks; return the number."""
    old = documents.c.created_at < before
    found = select(chunks.c.id).join(documents).where(old).limit(limit)
    gone = conn.execute(delete(chunks).where(chunks.c.id.in_(found))).rowcount
    if gone < limit:
        found = select(documents.c.id).where(old).limit(limit - gone)
        gone += conn.execute(delete(documents).where(documents.c.id.in_(found))).rowcount
    return gone


def shown(row: RowMapping) -> dict[str, Any]:
    """Return a document as the API shows it; its job may have been deleted before it."""
    names = ("id", "job_id", "name", "chunks")
    document = {name: row[name] for name in names} | {"created_at": iso(row["created_at"])}
    status = READY if row["indexed_at"] else row["state"] or FAILED
    error = None if row["indexed_at"] else row["error"]
    return document | {"status": "failed" if status == "succeeded" else status, "error": error}


def _change(conn: Connection, document_id: str, **values: Any) -> bool:
    return conn.execute(update(documents).where(documents.c.id == document_id).values(**values)).rowcount == 1
