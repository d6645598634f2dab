"""Finds the rows of a batch that failed, that have a text, or whose calls are on their way."""

import json
from typing import Any

from sqlalchemy import Connection, Select, Text, cast, func, or_, select

from app.features.predictions.store import FAILED, PENDING, shown_row
from app.features.predictions.tables import rows


def matching(prediction_id: str, *, failed: bool, text: str) -> Select[Any]:
    """Select the rows of a batch that failed, or that have a text in their input, answer or error."""
    query = select(rows).where(rows.c.prediction_id == prediction_id)
    if failed:
        query = query.where(rows.c.status == FAILED)
    if text:
        written = json.dumps(text)[1:-1]  # as the column has it
        answers = [column.icontains(text, autoescape=True) for column in (rows.c.output, rows.c.error)]
        query = query.where(or_(cast(rows.c.input, Text).icontains(written, autoescape=True), *answers))
    return query


def matches(conn: Connection, query: Select[Any], *, offset: int, limit: int) -> tuple[int, list[dict[str, Any]]]:
    """Return the number of selected rows, and some of them in the input's order."""
    total = conn.execute(select(func.count()).select_from(query.subquery())).scalar_one()
    found = conn.execute(query.order_by(rows.c.position).offset(offset).limit(limit))
    return int(total), [shown_row(row) for row in found]


def first_waiting(conn: Connection, prediction_id: str, *, start: int, limit: int) -> list[int]:
    """Return the positions of the first rows without an answer, from a position on.

    Rows are taken in the input's order, so these are the rows whose calls are on their way in a running batch.
    """
    mine = (rows.c.prediction_id == prediction_id, rows.c.status == PENDING, rows.c.position >= start)
    return list(conn.execute(select(rows.c.position).where(*mine).order_by(rows.c.position).limit(limit)).scalars())
