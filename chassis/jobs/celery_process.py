"""Runs jobs in a process of a Celery worker: for each message the next job of its queue, until that job ends."""

import os
import threading
import time

import structlog
from flask.cli import ScriptInfo

from chassis.db import db
from chassis.extensions import socketio
from chassis.jobs import broker, lines, registry
from chassis.jobs.beat import Beat
from chassis.jobs.caretaker import Caretaker
from chassis.jobs.claims import Claim, Claims
from chassis.jobs.cpu import Pool
from chassis.jobs.execution import release
from chassis.jobs.recovery import reset_stalled
from chassis.jobs.sender import Sender
from chassis.jobs.sweeper import Sweeper
from chassis.observability import profiling
from chassis.security import maintenance
from chassis.wiring import settings_of

log = structlog.get_logger(__name__)
SWEEP_SECONDS = 5.0
DEAF_SECONDS = 60.0  # for a handler to end after it was told to; then its process ends


class Process:
    """A process with the application loaded; `queues` are those of this worker, `slots` how many tasks run at once."""

    def __init__(self, queues: list[str], *, slots: int, disposable: bool) -> None:
        path = os.environ.get("FLASK_APP")
        app = ScriptInfo(app_import_path=path).load_app()
        self._settings, self._disposable = settings_of(app), disposable
        self._queues = queues
        self._pool = Pool(self._settings, path)
        self.claims = Claims(app, self._settings, threading.Event(), self._pool)
        self._caretaker = Caretaker(self.claims, self._settings)
        self._sender = Sender(self._settings)
        self._sweeper = Sweeper(self._sender, self._settings, SWEEP_SECONDS)
        self._beat = Beat(
            "celery",
            lambda: [kind for queue in self._queues for kind in self._kinds(queue)],
            slots=slots,
            lease_seconds=self._settings.job_lease_seconds,
            problem=self._caretaker.problem,
        )

    def start(self) -> None:
        """Reset the jobs of dead owners, and be seen as a worker."""
        profiling.listen()
        db.watch()
        lines.start()
        reset_stalled(db)
        for part in (self._caretaker, self._sender, self._sweeper, self._beat):
            part.start()

    def stop(self) -> None:
        """Let running jobs reach a safe point within the grace period, and release the rest."""
        self._beat.stop()
        self.claims.stop()
        self._sweeper.stop()
        self._caretaker.stop()
        self._sender.stop()
        self._pool.close()
        lines.flush()
        socketio.leave()

    def run_next(self, queue: str) -> str:
        """Run the next job of a queue; return what was done, which Celery's tools show."""
        done = []
        while maintenance.reason() is None and (claim := self.claims.take_next(self._kinds(queue))):
            self._wait(claim)
            done.append(f"{claim.job.kind} {claim.job.id}")
            if not self._settings.jobs_max_concurrency:  # else messages were used up while all places were taken
                break
        return ", ".join(done) or "no job was ready"

    def _kinds(self, queue: str) -> list[str]:
        return broker.kinds_of(queue, registry.names(cpu_bound=True), self._settings)

    def _wait(self, claim: Claim) -> None:
        """Wait for the end of a job; end this process if its handler was told to end, and does not."""
        told = 0.0
        while not claim.ended.wait(1.0):
            if claim.context.cancelled:
                told = told or time.monotonic()
                if self._disposable and time.monotonic() - told > DEAF_SECONDS:
                    log.error("job_does_not_end", job_id=claim.job.id, kind=claim.job.kind)
                    release(claim.job, claim.context, claim.owner)
                    os._exit(1)
