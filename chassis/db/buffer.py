"""Rows that are stored a little later, many at once: for logs that may lose a second, but must not slow requests."""

from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from sqlalchemy import Connection

from chassis.db.database import Database
from chassis.db.faults import may_pass

T = TypeVar("T")
MAX_WAITING = 10_000
MOST_LOST = 10  # rows in one go; with more of them the fault is hardly theirs


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
        """Write all rows; they wait on if the database refuses, and a row that cannot be stored is lost alone.

        The error of either is raised.
        """
        rows = [self._waiting.popleft() for _ in range(len(self._waiting))]

        def write(some: Sequence[dict[str, Any]]) -> None:
            database.write(lambda conn: self._insert(conn, list(some)))

        store_each(rows, write, lambda some: self._waiting.extendleft(reversed(some)))


def store_each(rows: Sequence[T], write: Callable[[Sequence[T]], object], keep: Callable[[list[T]], object]) -> None:
    """Write rows together, or in ever smaller parts when one of them cannot be stored, which is lost alone.

    `keep(rows)` takes those that are left when the database refuses for a while. Raises the last error.
    """
    parts, failed, lost = [rows] if rows else [], list[Exception](), 0
    while parts:
        part = parts.pop()
        try:
            write(part)
        except Exception as error:
            failed.append(error)
            if may_pass(error) or lost == MOST_LOST:
                keep([row for some in (part, *reversed(parts)) for row in some])
                break
            half = len(part) // 2
            lost += not half
            parts += [part[half:], part[:half]] if half else []
    if failed:
        raise failed[-1]
