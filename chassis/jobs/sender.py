"""Sends the ids of jobs that were queued in this process to Celery's broker, without holding up anybody."""

import contextlib
import queue
import threading

import structlog

from chassis.db import clock
from chassis.jobs import broker
from chassis.jobs.model import Job
from chassis.jobs.signals import job_queued
from chassis.settings import Settings

log = structlog.get_logger(__name__)
MOST_WAITING = 10_000  # ids; the sweeper sends those of others
AT_ONCE = 100
PAUSE_SECONDS = 1.0  # before the broker is asked again
LOOK_SECONDS = 0.5


class Sender:
    """Sends each id in a thread after its commit; what the broker does not take is left to the sweeper."""

    def __init__(self, settings: Settings) -> None:
        self._settings, self.app = settings, broker.celery_app(settings, sends_only=True)
        self._ids: queue.Queue[tuple[str, str]] = queue.Queue(MOST_WAITING)
        self._stopping, self._problem = threading.Event(), ""
        self._thread = threading.Thread(target=self._loop, name="job_sender", daemon=True)

    def start(self) -> None:
        """Start sending."""
        job_queued.connect(self._on_queued)
        self._thread.start()

    def stop(self) -> None:
        """Stop after the ids that wait now."""
        job_queued.disconnect(self._on_queued)
        self._stopping.set()
        self._thread.join(broker.CONNECT_SECONDS)

    def problem(self) -> str | None:
        """Return why no messages are sent, or None."""
        return self._problem or None

    def send(self, jobs: list[tuple[str, str]]) -> bool:
        """Send messages for jobs, given as (id, kind); return False and remember why if the broker refuses."""
        try:
            broker.send(self.app, self._settings, jobs)
        except Exception as error:
            self.failed(error)
            return False
        self.worked()
        return True

    def worked(self) -> None:
        """Forget an earlier problem, since the broker can be used."""
        if self._problem:
            self._problem = ""
            log.info("job_broker_is_back")

    def failed(self, error: Exception) -> None:
        """Remember why the broker cannot be used; its client raises exceptions of many kinds."""
        if not self._problem:
            log.warning("job_broker_is_away", error=type(error).__name__, hint="The jobs wait in the database.")
        self._problem = f"Celery's broker does not take messages ({type(error).__name__}); they are sent again"

    def _on_queued(self, job: Job) -> None:
        if job.not_before <= clock.now():  # otherwise the sweeper sends it when its time has come
            with contextlib.suppress(queue.Full):
                self._ids.put_nowait((job.id, job.kind))

    def _loop(self) -> None:
        while not (self._stopping.is_set() and self._ids.empty()):
            ids = self._some()
            if ids and not self.send(ids) and self._stopping.wait(PAUSE_SECONDS):
                return

    def _some(self) -> list[tuple[str, str]]:
        """Wait for an id, and return it with others that wait."""
        found = []
        with contextlib.suppress(queue.Empty):
            found.append(self._ids.get(timeout=LOOK_SECONDS))
            while len(found) < AT_ONCE:
                found.append(self._ids.get_nowait())
        return found
