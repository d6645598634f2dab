"""Detects that the database cannot be written (a full disk, a read-only file, a lock) before users do."""

import os

import structlog
from sqlalchemy.exc import SQLAlchemyError

from chassis.base.ticker import Ticker
from chassis.db import db, state
from chassis.db.faults import reason_of
from chassis.observability.metrics import DATABASE_WRITABLE

log = structlog.get_logger(__name__)
LOOK_SECONDS = 5.0


class Probe(Ticker):
    """Writes a row every five seconds, and keeps the reason of a failure until a write succeeds."""

    def __init__(self) -> None:
        super().__init__("database_probe", LOOK_SECONDS)
        self._reason: str | None = None
        DATABASE_WRITABLE.set(1)  # until the first write fails; the boot has written

    def problem(self) -> str | None:
        """Return the database's problem, or None; for readiness."""
        return db.damage or self._reason

    def tick(self) -> None:
        """Write one row."""
        reason = None
        try:  # synced to the disk, whose errors would otherwise go unnoticed
            with db.reserved():  # that all connections are in use says nothing about writing
                db.write(lambda conn: state.put(conn, "probe", os.getpid()), synced=True)
        except SQLAlchemyError as error:
            reason = f"the database cannot be written: {reason_of(error)}"
        told = self._reason
        self._reason = reason
        DATABASE_WRITABLE.set(int(self.problem() is None))
        if reason and not told:
            log.error("database_not_writable", reason=reason)
        elif told and not reason:
            log.info("database_writable_again")
