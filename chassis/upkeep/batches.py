"""A lot is deleted a little at a time, so that nobody has to wait for it."""

from collections.abc import Callable

from sqlalchemy import Connection

from chassis.db import db

BATCH = 500  # rows in a transaction: a few milliseconds
PAUSE_SECONDS = 0.05  # in which others write


def delete_in_batches(delete: Callable[[Connection, int], int], wait: Callable[[float], object]) -> int:
    """Call `delete(conn, limit)`, which returns how many rows it deleted, until that is less; return all of them.

    `wait(seconds)` lets the others write.
    """
    total, last = 0, BATCH
    while last >= BATCH:
        last = db.write(lambda conn: delete(conn, BATCH))
        total += last
        wait(PAUSE_SECONDS)
    return total
