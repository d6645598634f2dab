"""All SQL of feedback."""

import time
from collections.abc import Iterator
from typing import Any

from sqlalchemy import Row, select

from chassis.base.times import iso
from chassis.db import db, older
from chassis.feedback.tables import feedback

BATCH = 500  # rows that are in memory at once


def add(text: str, page: str) -> None:
    """Store what somebody wrote about a page."""
    db.write(lambda conn: conn.execute(feedback.insert().values(at=time.time(), page=page, text=text)))


def listing(limit: int, before: int | None = None) -> list[Row[Any]]:
    """Return feedback, newest first, from before an id on."""
    query = select(feedback).order_by(feedback.c.id.desc()).limit(limit)
    wanted = query if before is None else query.where(feedback.c.id < before)
    return db.read(lambda conn: list(conn.execute(wanted)))


def everything() -> Iterator[dict[str, Any]]:
    """Yield all feedback, newest first."""
    before = None
    while rows := listing(BATCH, before):
        yield from ({"at": iso(row.at), "page": row.page, "text": row.text} for row in rows)
        before = rows[-1].id


delete_older = older(feedback.c.at)
