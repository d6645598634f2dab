"""Deletes many rows in small batches, so that other writers do not have to wait."""

from collections.abc import Callable

from sqlalchemy import Connection

from chassis.db import db

BATCH = 500  # rows in a transaction, which takes a few milliseconds
PAUSE_SECONDS = 0.05  # for other writers


def delete_in_batches(delete: Callable[[Connection, int], int], wait: Callable[[float], object]) -> int:
    """Call `delete(conn, limit)`, which returns how many rows it deleted, until that is less; return the total.

    `wait(seconds)` pauses between batches for other writers.
    """
    total, last = 0, BATCH
    while last >= BATCH:
        last = db.write(lambda conn: delete(conn, BATCH))
        total += last
        wait(PAUSE_SECONDS)
    return total
