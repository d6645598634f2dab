"""Brings queued jobs to free places: woken by an enqueue of this process or a job's end, else twice a second."""

import threading

from chassis.jobs import registry
from chassis.jobs.claims import Claims
from chassis.jobs.loop import Loop
from chassis.jobs.model import Job
from chassis.jobs.signals import job_queued
from chassis.security import maintenance, switches
from chassis.settings import Settings

POLL_SECONDS = 0.5


class Delivery(Loop):
    """Claims for the free places, as long as jobs wait."""

    def __init__(self, claims: Claims, settings: Settings, wake: threading.Event, *, cpu_bound: bool) -> None:
        super().__init__("job_delivery", POLL_SECONDS, wake)
        self._claims, self._places, self._cpu_bound = claims, settings.jobs_concurrency, cpu_bound

    def start(self) -> None:
        """Begin."""
        job_queued.connect(self._on_queued)
        super().start()

    def stop(self) -> None:
        """End."""
        job_queued.disconnect(self._on_queued)
        super().stop()

    def turn(self) -> None:
        """Claim, at most as often as there are places; in maintenance what runs goes on, and nothing begins."""
        switches.look()
        kinds = registry.names(cpu_bound=self._cpu_bound)
        if not kinds or maintenance.reason() is not None:
            return
        for _ in range(self._places):
            if not self._claims.take_next(kinds):
                return
        self.wake.set()  # more may wait

    def _on_queued(self, job: Job) -> None:
        self.wake.set()
