"""The replica at DATABASE_READ_URL: reads that may lag go there, unless it refuses or hangs."""

import time

import structlog
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from chassis.db.faults import may_pass, reason_of
from chassis.db.hang import HangWatch
from chassis.observability.metrics import REPLICA_REFUSALS

PAUSE_SECONDS = 10.0  # without another attempt, since a connection that nobody answers costs seconds
log = structlog.get_logger(__name__)


class Replica:
    """An engine, what notices that its server hangs, and whether it is worth an attempt."""

    def __init__(self, engine: Engine, url: str) -> None:
        self.engine, self.hang = engine, HangWatch(url, "replica", "DATABASE_URL is read")
        self._closed_until, self._reason = 0.0, ""

    def is_open(self) -> bool:
        """Return whether reads should be tried here."""
        return not self.hang.hangs and time.monotonic() >= self._closed_until

    def problem(self) -> str | None:
        """Return why reads go elsewhere now, or None."""
        if self.hang.hangs:
            return "it accepts connections and does not answer: DATABASE_URL is read"
        return None if self.is_open() else f"DATABASE_URL is read ({self._reason})"

    def refused(self, error: SQLAlchemyError) -> None:
        """Count an error; after one that lies in the surroundings, stop trying for ten seconds."""
        REPLICA_REFUSALS.inc()
        reason = reason_of(error)
        if may_pass(error):
            self._closed_until, self._reason = time.monotonic() + PAUSE_SECONDS, reason
        log.warning("replica_refused", reason=reason)
