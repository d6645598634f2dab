"""Periodic work with the database, whose refusals are told in one line and may pass."""

import structlog

from chassis.base.ticker import Ticker
from chassis.db.faults import may_pass, reason_of

log = structlog.get_logger(__name__)


class DatabaseTicker(Ticker):
    """A ticker that logs `<name>_waits` with the reason while the database refuses."""

    def failed(self, error: Exception) -> None:
        """Log the error of a call."""
        tell_failure(self._name, error)


def tell_failure(name: str, error: Exception) -> None:
    """Log the error of work with the database, with a traceback unless it may pass."""
    if may_pass(error):
        log.warning(f"{name}_waits", reason=reason_of(error))
    else:
        log.error(f"{name}_error", exc_info=error)
