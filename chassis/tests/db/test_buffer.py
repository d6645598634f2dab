"""Rows that are stored a little later."""

import pytest
from sqlalchemy.exc import OperationalError

from chassis.db import RowBuffer
from chassis.db.buffer import MOST_LOST
from chassis.db.faults import too_busy


class Store:
    """A database that may refuse everything for a while, or one row for good."""

    def __init__(self):
        self.refuses, self.bad, self.stored = False, set[int](), list[dict[str, int]]()

    def write(self, work):
        work(None)

    def insert(self, _conn, rows):
        if self.refuses:
            raise too_busy()
        if any(row["id"] in self.bad for row in rows):
            raise OverflowError("Python int too large to convert to SQLite INTEGER")
        self.stored += rows


def test_rows_are_written_in_order_and_once():
    store = Store()
    buffer = RowBuffer(store.insert)
    assert all(buffer.add({"id": number}) for number in range(3))
    buffer.store(store)
    buffer.store(store)
    assert [row["id"] for row in store.stored] == [0, 1, 2]


def test_rows_wait_while_the_database_refuses_and_too_many_are_not_kept():
    store = Store()
    buffer = RowBuffer(store.insert, most=2)
    store.refuses = True
    assert [buffer.add({"id": number}) for number in range(3)] == [True, True, False]
    with pytest.raises(OperationalError, match="locked"):
        buffer.store(store)
    store.refuses = False
    buffer.store(store)
    assert [row["id"] for row in store.stored] == [0, 1]


def test_a_row_that_cannot_be_stored_is_lost_alone():
    store = Store()
    buffer, store.bad = RowBuffer(store.insert), {0, 4}
    assert all(buffer.add({"id": number}) for number in range(7))
    with pytest.raises(OverflowError):
        buffer.store(store)
    assert [row["id"] for row in store.stored] == [1, 2, 3, 5, 6]
    buffer.store(store)


def test_when_no_row_can_be_stored_few_are_lost():
    store = Store()
    buffer, store.bad = RowBuffer(store.insert), set(range(100))
    assert all(buffer.add({"id": number}) for number in range(100))
    with pytest.raises(OverflowError):
        buffer.store(store)
    store.bad = set()
    buffer.store(store)
    assert [row["id"] for row in store.stored] == list(range(MOST_LOST, 100))
