"""What a job's handler receives: the job's identity, a way to report progress, and the request to stop."""

import threading
import time
from collections.abc import Callable
from typing import Any, Literal, TypeVar

import structlog
from sqlalchemy import Connection

from chassis.base.texts import storable
from chassis.db import db
from chassis.db.faults import may_pass
from chassis.db.patience import patient
from chassis.errors import AppError

T = TypeVar("T")
Reason = Literal["cancel", "stop", "time_limit", "lost"]
PROGRESS_INTERVAL_SECONDS = 0.1


class JobStopped(Exception):
    """Raised in a handler by `check()` and `wait()` after it was told to stop."""


class GiveUp(AppError):
    """Raised by a handler whose job cannot succeed: it is not retried."""

    lasting = True


class JobContext:
    """A handler's view of its job: `id`, `kind`, `attempt`, and a logger `log`. Several threads may use it."""

    def __init__(
        self,
        job_id: str,
        kind: str,
        attempt: int,
        save: Callable[[int, int, str], None],
        *,
        time_limit_seconds: float | None = None,
    ) -> None:
        self.id, self.kind, self.attempt = job_id, kind, attempt
        self.time_limit_seconds = time_limit_seconds
        self.log = structlog.get_logger(kind).bind(job_id=job_id)
        self.reason: Reason | None = None
        self.latest: tuple[int, int, str] | None = None
        self._save = save
        self._saved: tuple[int, int, str] | None = None
        self._saved_at = 0.0
        self._late: threading.Timer | None = None
        self._settled = False
        self._stopped = threading.Event()
        self._telling, self._saving = threading.Lock(), threading.Lock()

    def progress(self, done: int, total: int, message: str = "") -> None:
        """Report how far the job is; it is stored and sent to viewers at most ten times a second.

        With several threads the furthest counts: a smaller `done` of the same `total` changes nothing.
        """
        with self._telling:
            if self.latest is None or self.latest[1] != total or self.latest[0] <= done:
                self.latest = (done, total, storable(message))
        self._flush_soon()

    def _flush_soon(self) -> None:
        """Store the latest progress now, or a moment later if some was just stored: no other step may follow soon."""
        if self._rest_seconds() <= 0:
            self.flush()
        else:
            self._flush_later()

    def _rest_seconds(self) -> float:
        return self._saved_at + PROGRESS_INTERVAL_SECONDS - time.monotonic()

    def _flush_later(self) -> None:
        with self._telling:
            if self._late is None and not self._settled:
                self._late = threading.Timer(max(0.0, self._rest_seconds()), self._flush_late)
                self._late.daemon = True
                self._late.start()

    def _flush_late(self) -> None:
        self._late = None
        self._flush_soon()

    def settle(self) -> None:
        """Store no more progress, since the handler has ended; wait for a thread that is storing now."""
        with self._saving:
            self._settled = True

    def flush(self) -> None:
        """Store the latest progress now, unless the database refuses; it is stored later then."""
        if not self._saving.acquire(blocking=False):
            return  # another thread is storing; the next one stores what it misses
        try:
            latest = self.latest
            if latest is not None and latest != self._saved and not self._settled:
                self._saved, self._saved_at = latest, time.monotonic()
                with patient(None):
                    self._save(*latest)
        except Exception as error:
            self._saved = None
            if not may_pass(error):
                raise
        finally:
            self._saving.release()
        if self._saved is not None and self._saved != self.latest:
            self._flush_later()  # another thread told more meanwhile

    def read(self, work: Callable[[Connection], T], *, unbounded: bool = False) -> T:
        """Return `db.read(work)`; wait while the database refuses, also in a thread without the job's context."""
        with patient(self.wait):
            return db.read(work, unbounded=unbounded)

    def write(self, work: Callable[[Connection], T]) -> T:
        """Return `db.write(work)`; retry while the database refuses, because it is full, locked, read-only or away.

        `db.write` and `db.read` do the same in a handler and in threads with a copy of its context (contextvars).
        Raises JobStopped when the handler should end meanwhile.
        """
        with patient(self.wait):
            return db.write(work)

    @property
    def cancelled(self) -> bool:
        """Return whether the handler should end: cancelled, out of time, its process stopping, or its lease lost."""
        return self.reason is not None

    def check(self) -> None:
        """Raise JobStopped if the handler should end."""
        if self.cancelled:
            raise JobStopped

    def wait(self, seconds: float) -> None:
        """Sleep; raise JobStopped as soon as the handler should end."""
        self._stopped.wait(seconds)
        self.check()

    def stop(self, reason: Reason) -> None:
        """Tell the handler to end; the first reason counts, but a lost lease overrides all others."""
        if self.reason is None or reason == "lost":
            self.reason = reason
        self._stopped.set()

    def __repr__(self) -> str:
        return f"<JobContext {self.kind} {self.id}>"


Payload = dict[str, Any]
