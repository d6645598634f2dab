"""Reads a source of texts in a thread of its own (a green one under eventlet and gevent), until somebody stops it."""

import contextvars
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Literal

import structlog
from flask import Flask, current_app
from structlog.contextvars import bind_contextvars, get_contextvars

from chassis.db.trouble import unavailable
from chassis.errors import AppError
from chassis.observability.metrics import STREAMS, STREAMS_ENDED
from chassis.security import payer

log = structlog.get_logger(__name__)
MAX_WAITING = 200_000  # characters that a slow reader has not taken; the source waits above it
RESERVE = 10  # one place in so many, beyond the limit, for callers without a stream
LOOK_SECONDS = 0.1  # between two looks of a waiting source whether it was stopped

Stopped = Callable[[], bool]
"""A type: a function that returns whether a stream was stopped; pass it on as `cancelled` of a call."""
Source = Callable[[Stopped], Iterable[str]]
"""A type: a function that returns the texts of a stream; it should end soon after `stopped()` turns true."""


@dataclass(frozen=True, slots=True)
class End:
    """How a stream ended; the code and the message say why it failed or was stopped."""

    outcome: Literal["done", "stopped", "failed"]
    code: str = ""
    message: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Return the end as clients receive it."""
        error = {"error": {"code": self.code, "message": self.message}} if self.code else {}
        return {"outcome": self.outcome, **error}


Unread = Callable[[End], None]
"""A type: a function that is told how a stream ended whose source was never called."""
BY_VIEWER = End("stopped")
FAULT = End("failed", "internal_error", "Something went wrong on our side; it has been logged.")
RESTARTING = End("failed", "restarting", "The service is restarting: try again.")
NO_PLACE = End("failed", "too_many_streams", "Too many answers are being streamed right now: try again shortly.")


class Run:
    """A source that is being read, at the cost of whoever made the run; `take` returns what has come."""

    def __init__(self, source: Source, unread: Unread | None = None) -> None:
        app: Any = current_app
        self._app: Flask = app._get_current_object()
        self._source, self.payer = source, payer.current()
        self._unread: Unread | None = unread or getattr(source, "unread", None)
        self._stopping: Unread | None = getattr(source, "stopping", None)
        self._news = threading.Condition()
        self._waiting: list[str] = []
        self._size = 0
        self._stop: End | None = None
        self.end: End | None = None

    def start(self) -> bool:
        """Begin to read; without a free place or thread the run ends at once, and False is returned."""
        if places.enter(self):
            context = contextvars.Context()
            context.run(bind_contextvars, **get_contextvars())  # log lines name the request or the event
            try:
                threading.Thread(target=context.run, args=(self._read,), name="stream", daemon=True).start()
                return True
            except RuntimeError:  # the system gives no more threads
                places.leave(self)
        self.skip(NO_PLACE)
        return False

    def skip(self, end: End) -> None:
        """End the run without reading its source, and tell who asked to know that."""
        STREAMS_ENDED.labels(end.outcome).inc()
        try:
            if self._unread:
                with self._app.app_context():
                    self._unread(end)
        except Exception:  # the clients are told all the same
            log.exception("stream_unread_failed")
        finally:
            self.end = end

    def stopped(self) -> bool:
        """Return whether the run was told to end."""
        return self._stop is not None

    @property
    def ending(self) -> End | None:
        """How the run will end, after it was told to."""
        return self._stop

    def stop(self, end: End = BY_VIEWER) -> None:
        """End the run; what it has not sent yet is lost. May be repeated."""
        with self._news:
            if self._stopping and not self._stop:
                self._stopping(end)
            self._stop = self._stop or end
            self._news.notify_all()

    def take(self, seconds: float) -> list[str]:
        """Return the texts that wait, in order; wait up to `seconds` for some, for the end, or for being stopped."""
        with self._news:
            if not (self._waiting or self.end):  # after a stop a short wait, so that a loop of calls lets others run
                self._news.wait(min(seconds, LOOK_SECONDS) if self._stop else seconds)
            taken, self._waiting, self._size = self._waiting, [], 0
            self._news.notify_all()
        return taken

    def _read(self) -> None:
        end = FAULT
        try:
            with self._app.app_context(), payer.paying(self.payer):
                end = self._outcome()
        finally:
            places.leave(self)
            STREAMS_ENDED.labels(end.outcome).inc()
            with self._news:
                self.end = end
                self._news.notify_all()

    def _outcome(self) -> End:
        try:
            self._read_all()
            return self._stop or End("done")
        except Exception as error:
            if self._stop:
                return self._stop
            told = unavailable(error) or error
            if isinstance(told, AppError):
                return End("failed", told.code, told.message)
            log.exception("stream_failed")
            return FAULT

    def _read_all(self) -> None:
        texts = self._source(self.stopped)
        try:
            for text in texts:
                self._put(text)
                if self._stop:
                    return
        finally:
            if close := getattr(texts, "close", None):
                close()

    def _put(self, text: str) -> None:
        with self._news:
            while self._size > MAX_WAITING and not self._stop:
                self._news.wait(LOOK_SECONDS)
            if text:
                self._waiting.append(text)
                self._size += len(text)
                self._news.notify_all()


class Places:
    """The runs of this process, of which there is a limited number.

    A caller without one may exceed the limit by a tenth, so that nobody can take the places of all the others.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._runs: set[Run] = set()
        self._limit, self._closed = 1, False

    def configure(self, limit: int) -> None:
        """Set the limit."""
        self._limit, self._closed = limit, False

    def enter(self, run: Run) -> bool:
        """Give a run a place, if there is one."""
        with self._lock:
            has_one = any(one.payer == run.payer for one in self._runs)
            limit = self._limit if has_one else self._limit + max(1, self._limit // RESERVE)
            if self._closed or len(self._runs) >= limit:
                return False
            self._runs.add(run)
        STREAMS.inc()
        return True

    def leave(self, run: Run) -> None:
        """Free the place of a run that has ended."""
        with self._lock:
            self._runs.discard(run)
        STREAMS.dec()

    def close(self) -> None:
        """Stop all runs, since this process ends, and start no more."""
        with self._lock:
            self._closed, runs = True, list(self._runs)
        for run in runs:
            run.stop(RESTARTING)


places = Places()
