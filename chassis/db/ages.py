"""Deletes rows by their age, for rules of retention."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import Column, Connection, delete, select


def older(column: Column[Any]) -> Callable[[Connection, float, int], int]:
    """Return the function that `hooks.retain` needs for a table that nothing refers to.

    It deletes at most `limit` rows whose time in the column (seconds since 1970) is before another, the oldest first.
    The table has one primary key.
    """
    table = column.table
    (key,) = table.primary_key

    def delete_older(conn: Connection, before: float, limit: int) -> int:
        found = select(key).where(column < before).order_by(column).limit(limit)
        return conn.execute(delete(table).where(key.in_(found.scalar_subquery()))).rowcount

    return delete_older
