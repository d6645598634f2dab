"""Limits how many jobs all processes together run at once."""

from sqlalchemy import Connection, func, select

from chassis.jobs.model import RUNNING
from chassis.jobs.tables import jobs

LOCK = 7_120_003  # one of our advisory locks on PostgreSQL; a claim holds it until its transaction ends


def free(conn: Connection, most: int) -> bool:
    """Return whether fewer than `most` jobs run; 0 means no limit. Call it in the transaction of the claim."""
    if not most:
        return True
    if conn.dialect.name != "sqlite":  # where writes come one after another anyway
        conn.execute(select(func.pg_advisory_xact_lock(LOCK)))
    return running(conn) < most


def running(conn: Connection) -> int:
    """Return how many jobs run."""
    return conn.execute(select(func.count()).select_from(jobs).where(jobs.c.state == RUNNING)).scalar_one()
