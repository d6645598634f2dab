"""Runs jobs in this process: Delivery claims them, Claims holds the running ones, Caretaker looks after them.

Beat tells others that this process does so.
"""

import threading

from flask import Flask

from chassis.db import db
from chassis.jobs import registry
from chassis.jobs.beat import Beat
from chassis.jobs.caretaker import Caretaker
from chassis.jobs.claims import Claims
from chassis.jobs.cpu import Pool
from chassis.jobs.delivery import Delivery
from chassis.jobs.recovery import reset_stalled
from chassis.observability import profiling
from chassis.settings import Settings


class Runner:
    """Runs up to `JOBS_CONCURRENCY` jobs at once."""

    def __init__(self, app: Flask, settings: Settings, *, cpu_bound: bool = False, pool: Pool | None = None) -> None:
        wake = threading.Event()
        self._pool = pool
        self.claims = Claims(app, settings, freed=wake, pool=pool)
        self.delivery = Delivery(self.claims, settings, wake, cpu_bound=cpu_bound)
        self.caretaker = Caretaker(self.claims, settings)
        self.beat = Beat(
            "work" if cpu_bound else "embedded",
            lambda: registry.names(cpu_bound=cpu_bound),
            slots=settings.jobs_concurrency,
            lease_seconds=settings.job_lease_seconds,
            problem=self.problem,
        )

    def start(self) -> None:
        """Reset the jobs of dead owners, then start claiming; from here on the process can be profiled."""
        profiling.listen()
        reset_stalled(db)
        self.caretaker.start()
        self.delivery.start()
        self.beat.start()

    def stop(self) -> None:
        """Let running jobs reach a safe point within the grace period, and release the rest."""
        self.beat.stop()
        self.delivery.stop()
        self.claims.stop()
        self.caretaker.stop()  # last, since leases are renewed during the grace period too
        self.caretaker.join(1.0)
        if self._pool is not None:
            self._pool.close()

    def problem(self) -> str | None:
        """Return why this runner does not work, or None."""
        return self.delivery.problem() or self.caretaker.problem()

    def join(self, seconds: float) -> None:
        """Wait for the delivery loop to end."""
        self.delivery.join(seconds)
