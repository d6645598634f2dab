"""Looks after the jobs of other processes in a process that runs none, so that the death of all workers is noticed."""

import time

from chassis.base.ticker import Ticker
from chassis.db import db
from chassis.jobs import schedules
from chassis.jobs.recovery import reset_stalled
from chassis.security import maintenance
from chassis.settings import Settings

LOOK_SECONDS = 0.5


class Watchdog(Ticker):
    """Resets the jobs of dead workers three times a lease, and starts schedules, whose jobs wait for a worker."""

    def __init__(self, settings: Settings) -> None:
        super().__init__("job_watchdog", LOOK_SECONDS)
        self._every_reset = settings.job_lease_seconds / 3
        self._reset_at = time.monotonic()

    def tick(self) -> None:
        """Check once."""
        if time.monotonic() >= self._reset_at:
            self._reset_at = time.monotonic() + self._every_reset
            reset_stalled(db)
        if maintenance.reason() is None:
            schedules.start_due()
