"""Rows that are stored a little later."""

import pytest

from chassis.db import RowBuffer


class Store:
    """A database that may refuse."""

    def __init__(self):
        self.refuses, self.stored = False, []

    def write(self, work):
        work(None)

    def insert(self, _conn, rows):
        if self.refuses:
            raise OSError("no space")
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
    with pytest.raises(OSError, match="no space"):
        buffer.store(store)
    store.refuses = False
    buffer.store(store)
    assert [row["id"] for row in store.stored] == [0, 1]
