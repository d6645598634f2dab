"""A process that runs CPU-bound jobs for a worker: `python -m chassis.jobs.cpu_child DESCRIPTOR APPLICATION`."""

import os
import queue
import signal
import sys
import threading
from multiprocessing.connection import Connection
from typing import Any

import structlog
from flask import Flask
from flask.cli import ScriptInfo

from chassis.db.patience import patient
from chassis.errors import AppError
from chassis.extensions import socketio
from chassis.jobs import lines, registry
from chassis.jobs.context import JobContext, JobStopped
from chassis.jobs.execution import is_expected
from chassis.security import payer

log = structlog.get_logger(__name__)


class Child:
    """Runs the jobs that the worker sends, and ends with the worker."""

    def __init__(self, connection: "Connection[Any, Any]") -> None:
        self._connection, self._sending = connection, threading.Lock()
        self._orders: queue.SimpleQueue[tuple[Any, ...]] = queue.SimpleQueue()
        self._context: JobContext | None = None

    def serve(self, app: Flask) -> None:
        """Run jobs one after another, for as long as the worker lives."""
        threading.Thread(target=self._listen, daemon=True).start()
        lines.start()
        while True:
            job_id, kind, attempt, payload, who = self._orders.get()
            with app.app_context(), structlog.contextvars.bound_contextvars(job_id=job_id):
                self._context = context = JobContext(job_id, kind, attempt, self._save)
                with payer.paying(who):
                    outcome = _outcome(context, payload)
                self._context = None
                context.flush()
                context.settle()
            lines.flush()
            self._send(outcome)

    def _listen(self) -> None:
        while True:
            try:
                what, *values = self._connection.recv()
            except (EOFError, OSError):
                socketio.leave()
                os._exit(0)  # the worker is gone, and somebody else may have the job already
            context = self._context
            if what == "run":
                self._orders.put(tuple(values))
            elif context is not None:
                context.stop(values[0])

    def _save(self, done: int, total: int, message: str) -> None:
        self._send(("progress", done, total, message))

    def _send(self, message: tuple[Any, ...]) -> None:
        with self._sending:
            self._connection.send(message)


def _outcome(context: JobContext, payload: dict[str, Any]) -> tuple[str, str]:
    """Run the handler; return the outcome and a message."""
    try:
        with patient(context.wait):
            registry.kind(context.kind).handler(context, payload)
    except JobStopped:
        return "stopped", ""
    except AppError as error:
        return "gave_up" if error.lasting else "failed", error.message
    except Exception as error:
        if not is_expected(error, told_to_end=context.cancelled):
            log.exception("job_raised", kind=context.kind)
        return "raised", type(error).__name__
    return "succeeded", ""


def main() -> None:
    """Load the application as the `flask` command does, and serve."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # the worker gets these too, and decides
    descriptor, path = int(sys.argv[1]), sys.argv[2]
    Child(Connection(descriptor)).serve(ScriptInfo(app_import_path=path or None).load_app())


if __name__ == "__main__":
    main()
