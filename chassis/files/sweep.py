"""Deletes files whose row is gone: retention deletes rows alone, and a process may die between the two."""

from collections.abc import Callable, Iterator
from itertools import islice

from chassis.base.concurrency import run_in_thread
from chassis.db import db
from chassis.files import store
from chassis.files.model import made_at
from chassis.files.places import place_of
from chassis.settings import Settings

BATCH = 500
PAUSE_SECONDS = 0.05  # for other readers of the database


def sweep(settings: Settings, before: float, wait: Callable[[float], object]) -> int:
    """Delete files from before a time that have no row; return how many. Younger ones may be about to get theirs."""
    place, gone = place_of(settings), 0
    old = (file_id for file_id in place.ids() if (made_at(file_id) or before) < before)
    while batch := _next(old):
        known = db.read(lambda conn, ids=batch: store.known(conn, ids))  # type: ignore[misc]
        for file_id in set(batch) - known:
            place.remove(file_id)
            gone += 1
        wait(PAUSE_SECONDS)
    return gone


def _next(ids: Iterator[str]) -> list[str]:
    return run_in_thread(lambda: list(islice(ids, BATCH)))
