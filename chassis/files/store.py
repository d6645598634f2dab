"""All SQL of stored files."""

from collections.abc import Collection
from dataclasses import asdict
from typing import Any

from sqlalchemy import Connection, Select, delete, func, select, true

from chassis.db import older
from chassis.files.model import StoredFile
from chassis.files.tables import files


def insert(conn: Connection, new: list[StoredFile]) -> None:
    """Store the rows of new files."""
    conn.execute(files.insert(), [asdict(file) for file in new])


def get(conn: Connection, file_id: str) -> StoredFile | None:
    """Return a file, or None."""
    row = conn.execute(select(files).where(files.c.id == file_id)).one_or_none()
    return StoredFile(**row._mapping) if row else None


def newest_first(label: str | None) -> Select[Any]:
    """Return the query of files, newest first; None matches any label."""
    mine = true() if label is None else files.c.label == label
    return select(files).where(mine).order_by(files.c.created_at.desc(), files.c.id)


def remove(conn: Connection, ids: Collection[str]) -> None:
    """Delete rows."""
    conn.execute(delete(files).where(files.c.id.in_(ids)))


delete_older = older(files.c.created_at)  # the job `cleanup` deletes their files


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
