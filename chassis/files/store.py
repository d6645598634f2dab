"""All SQL of stored files."""

from collections.abc import Collection
from dataclasses import asdict

from sqlalchemy import Connection, delete, func, select

from chassis.files.model import StoredFile
from chassis.files.tables import files


def insert(conn: Connection, new: list[StoredFile]) -> None:
    """Store the rows of new files."""
    conn.execute(files.insert(), [asdict(file) for file in new])


def get(conn: Connection, file_id: str) -> StoredFile | None:
    """Return a file, or None."""
    row = conn.execute(select(files).where(files.c.id == file_id)).one_or_none()
    return StoredFile(**row._mapping) if row else None


def listing(
    conn: Connection, owner: str | None, label: str | None, *, limit: int, offset: int
) -> tuple[list[StoredFile], int]:
    """Return a page of files, newest first, and their total number; None matches any owner or label."""
    where = [column == value for column, value in ((files.c.owner, owner), (files.c.label, label)) if value is not None]
    query = select(files).where(*where).order_by(files.c.created_at.desc(), files.c.id).limit(limit).offset(offset)
    total = conn.execute(select(func.count()).select_from(files).where(*where)).scalar_one()
    return [StoredFile(**row._mapping) for row in conn.execute(query)], total


def remove(conn: Connection, ids: Collection[str]) -> None:
    """Delete rows."""
    conn.execute(delete(files).where(files.c.id.in_(ids)))


def delete_older(conn: Connection, before: float, limit: int) -> int:
    """Delete up to `limit` rows from before a time; the job `cleanup` deletes their files."""
    old = select(files.c.id).where(files.c.created_at < before).limit(limit)
    return conn.execute(delete(files).where(files.c.id.in_(old))).rowcount


def known(conn: Connection, ids: Collection[str]) -> set[str]:
    """Return which of the ids have a row."""
    return set(conn.execute(select(files.c.id).where(files.c.id.in_(ids))).scalars())


def stored_bytes(conn: Connection, owner: str) -> int:
    """Return how many bytes an owner's files have."""
    return int(
        conn.execute(select(func.coalesce(func.sum(files.c.size), 0)).where(files.c.owner == owner)).scalar_one()
    )


def totals(conn: Connection) -> tuple[int, int]:
    """Return the number of all files and their bytes."""
    count, size = conn.execute(select(func.count(), func.coalesce(func.sum(files.c.size), 0)).select_from(files)).one()
    return int(count), int(size)
