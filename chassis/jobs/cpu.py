"""Runs the handlers of CPU-bound jobs in processes of their own, which can be killed; cpu_child.py is what they run."""

import contextlib
import os
import signal
import sys
import threading
import time
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from typing import Any

from chassis.base import lifeline
from chassis.base.cores import usable_cores
from chassis.errors import AppError
from chassis.jobs.context import GiveUp, JobContext, JobStopped
from chassis.security import payer
from chassis.settings import Settings

LOOK_SECONDS = 0.1  # for a stopped job


class Raised(Exception):
    """Raised for a handler that raised an unexpected exception, whose traceback its process has logged."""


class Child:
    """A process with the application loaded, which runs one job after another."""

    def __init__(self, app_path: str | None) -> None:
        self.connection: Connection[Any, Any]
        self.connection, other = Pipe()
        command = [sys.executable, "-m", "chassis.jobs.cpu_child", str(other.fileno()), app_path or ""]
        self._process, self._lifeline = lifeline.start(command, pass_fds=[other.fileno()], start_new_session=True)
        other.close()

    def lives(self) -> bool:
        """Return whether the process runs."""
        return self._process.poll() is None

    def end(self) -> int:
        """Kill the process and its own children; return its status."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self.connection.close()
        self._lifeline.close()
        return self._process.wait()


class Pool:
    """At most `JOBS_CPU_PROCESSES` processes; `app_path` is where the `flask` command finds the application."""

    def __init__(self, settings: Settings, app_path: str | None = None) -> None:
        self.size = settings.jobs_cpu_processes or usable_cores()
        self._grace, self._app_path = settings.jobs_grace_seconds, app_path
        self._places, self._idle = threading.Semaphore(self.size), list[Child]()
        self._closed = False

    def run(self, context: JobContext, payload: dict[str, Any]) -> None:
        """Run the job's handler in a process; raise what the handler raised, or AppError if its process died.

        A job that was told to end has the grace period of JOBS_GRACE_SECONDS for it, and is killed then.
        """
        with self._places:
            child = self._take()
            try:
                child.connection.send(("run", context.id, context.kind, context.attempt, payload, payer.current()))
                outcome, message = self._follow(child.connection, context)
            except (EOFError, OSError):
                raise AppError(f"The job's process died with status {child.end()}.") from None
            except BaseException:
                child.end()
                raise
            self._put_back(child)
        _raise(outcome, message)

    def close(self) -> None:
        """End the processes; those of running jobs end with their jobs."""
        self._closed = True
        while self._idle:
            self._idle.pop().end()

    def _take(self) -> Child:
        """Return an idle process, or a new one."""
        with contextlib.suppress(IndexError):
            while True:
                child = self._idle.pop()
                if child.lives():
                    return child
                child.end()
        return Child(self._app_path)

    def _put_back(self, child: Child) -> None:
        if self._closed:
            child.end()
        else:
            self._idle.append(child)

    def _follow(self, connection: "Connection[Any, Any]", context: JobContext) -> tuple[str, str]:
        """Pass on progress until the handler has ended; return the outcome and its message."""
        told = 0.0
        while True:
            if connection.poll(LOOK_SECONDS):
                what, *values = connection.recv()
                if what != "progress":
                    return what, values[0]
                context.progress(*values)
            if context.cancelled and not told:
                told = time.monotonic()
                connection.send(("stop", context.reason))
            if told and (context.reason == "lost" or time.monotonic() - told > self._grace):
                raise JobStopped


def _raise(outcome: str, message: str) -> None:
    if outcome == "stopped":
        raise JobStopped
    if outcome == "gave_up":
        raise GiveUp(message)
    if outcome == "failed":
        raise AppError(message)
    if outcome == "raised":
        raise Raised(message)
