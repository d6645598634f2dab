"""The replica at DATABASE_READ_URL: reads that may lag go there, unless it refuses."""

import time

import structlog
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from chassis.db.faults import may_pass, reason_of
from chassis.observability.metrics import REPLICA_REFUSALS

PAUSE_SECONDS = 10.0  # without another attempt, since a connection that nobody answers costs seconds
log = structlog.get_logger(__name__)


class Replica:
    """An engine, and whether it is worth an attempt."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._closed_until = 0.0

    def is_open(self) -> bool:
        """Return whether reads should be tried here."""
        return time.monotonic() >= self._closed_until

    def refused(self, error: SQLAlchemyError) -> None:
        """Count an error; after one that lies in the surroundings, stop trying for ten seconds."""
        REPLICA_REFUSALS.inc()
        if may_pass(error):
            self._closed_until = time.monotonic() + PAUSE_SECONDS
        log.warning("replica_refused", reason=reason_of(error))
