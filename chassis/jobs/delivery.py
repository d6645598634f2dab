"""Claims queued jobs for free slots: woken by an enqueue in this process or a job's end, or twice a second."""

import threading

from chassis.jobs import registry
from chassis.jobs.claims import Claims
from chassis.jobs.loop import Loop
from chassis.jobs.model import Job
from chassis.jobs.signals import job_queued
from chassis.security import maintenance, switches
from chassis.settings import Settings

POLL_SECONDS = 0.5
FRESH_SECONDS = 0.05


class Delivery(Loop):
    """Claims jobs while slots are free."""

    def __init__(self, claims: Claims, settings: Settings, wake: threading.Event, *, cpu_bound: bool) -> None:
        super().__init__("job_delivery", POLL_SECONDS, wake)
        self._claims, self._places, self._cpu_bound = claims, settings.jobs_concurrency, cpu_bound

    def start(self) -> None:
        """Start claiming."""
        job_queued.connect(self._on_queued)
        super().start()

    def stop(self) -> None:
        """Stop claiming."""
        job_queued.disconnect(self._on_queued)
        super().stop()

    def turn(self) -> None:
        """Claim jobs, at most as many as there are slots; in maintenance running jobs continue, and none is started."""
        switches.refresh(FRESH_SECONDS)
        kinds = registry.names(cpu_bound=self._cpu_bound)
        if not kinds or maintenance.reason() is not None:
            return
        if self._claims.take_ready(kinds, self._places):
            self.wake.set()  # more jobs may be waiting

    def _on_queued(self, job: Job) -> None:
        self.wake.set()
