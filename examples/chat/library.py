"""All SQL of documents."""

from typing import Any

from sqlalchemy import Connection, RowMapping, Select, delete, select, update

from app.features.chat.tables import documents, index
from chassis import files
from chassis.base import iso
from chassis.jobs import FAILED
from chassis.jobs import jobs_table as jobs

READY = "ready"
WITH_JOBS = select(documents, jobs.c.state, jobs.c.error).outerjoin(jobs, jobs.c.id == documents.c.job_id)
NEWEST_FIRST = WITH_JOBS.order_by(documents.c.created_at.desc(), documents.c.name, documents.c.id)


def insert(conn: Connection, rows: list[dict[str, Any]]) -> None:
    """Store new documents."""
    conn.execute(documents.insert(), [{"passages": 0, **row} for row in rows])


def get(conn: Connection, document_id: str) -> RowMapping | None:
    """Return a document with the state of its job, or None."""
    return conn.execute(WITH_JOBS.where(documents.c.id == document_id)).mappings().first()


def read_by(owner: str) -> Select[Any]:
    """Return the query of the ids of an owner's documents that have been read to their end."""
    return select(documents.c.id).where(documents.c.owner == owner, documents.c.indexed_at.is_not(None))


def change(conn: Connection, document_id: str, **values: Any) -> None:
    """Change a document."""
    conn.execute(update(documents).where(documents.c.id == document_id).values(**values))


def remove(conn: Connection, document_id: str) -> None:
    """Delete a document with its passages and the row of its file."""
    conn.execute(delete(documents).where(documents.c.id == document_id))
    files.forget(conn, [document_id])


def delete_old(conn: Connection, before: float, limit: int) -> int:
    """Delete up to `limit` rows of documents from before a time, first their passages; return the number."""
    old = select(documents.c.id).where(documents.c.created_at < before)
    gone = index.delete(conn, old, limit)
    for document_id in list(conn.execute(old.limit(limit - gone)).scalars()) if gone < limit else ():
        remove(conn, document_id)
        gone += 1
    return gone


def shown(row: RowMapping) -> dict[str, Any]:
    """Return a document as the API shows it; its job may have been deleted before it."""
    document = {name: row[name] for name in ("id", "job_id", "name", "passages")}
    status, error = (READY, None) if row["indexed_at"] else (row["state"] or FAILED, row["error"])
    return {**document, "status": status, "error": error, "created_at": iso(row["created_at"])}
