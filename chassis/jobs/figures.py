"""Figures of the jobs table: how many jobs are in each state, and how long the next one has waited."""

from sqlalchemy import Connection

from chassis.db import clock, db
from chassis.jobs import queries
from chassis.jobs.model import STATES

NAMES = ("queue_age_seconds", *(f"jobs_{state}" for state in STATES))


def figures() -> dict[str, float]:
    """Return the figures by name, read at once."""

    def read(conn: Connection) -> dict[str, float]:
        waited = [seconds for _, seconds in queries.oldest_queued(conn, clock.now())]
        found = dict.fromkeys(NAMES, 0.0) | {f"jobs_{state}": number for state, number in queries.states(conn)}
        return found | {"queue_age_seconds": max(waited, default=0.0)}

    return db.read(read, unbounded=True)
