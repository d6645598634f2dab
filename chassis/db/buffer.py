"""Rows that are stored a little later, many at once: for logs that may lose a second, but must not slow requests."""

from collections import deque
from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection

from chassis.db.database import Database

MAX_WAITING = 10_000


class RowBuffer:
    """Keeps rows until `store` writes them; any thread may add some."""

    def __init__(self, insert: Callable[[Connection, list[dict[str, Any]]], None], most: int = MAX_WAITING) -> None:
        self._insert, self._most = insert, most
        self._waiting: deque[dict[str, Any]] = deque()

    def add(self, row: dict[str, Any]) -> bool:
        """Keep a row; return False when too many wait, since the database refuses them."""
        if len(self._waiting) >= self._most:
            return False
        self._waiting.append(row)
        return True

    def store(self, database: Database) -> None:
        """Write all rows; they wait on if the database refuses, and its error is raised."""
        rows = [self._waiting.popleft() for _ in range(len(self._waiting))]
        try:
            if rows:
                database.write(lambda conn: self._insert(conn, rows))
        except Exception:
            self._waiting.extendleft(reversed(rows))
            raise
