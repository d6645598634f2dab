"""Processes for pieces of a job that compute, and may crash, hang or leak; process_child.py is what they run."""

import json
import socket
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import structlog

from chassis.base import lifeline
from chassis.base.cores import usable_cores
from chassis.errors import AppError
from chassis.jobs.context import JobContext

CHILD = Path(__file__).with_name("process_child.py")
START_SECONDS = 120  # for a model to be loaded
LOOK_SECONDS = 0.2  # for a job that was told to end
ORDERS = 500  # of a process; then another one takes its place, whatever a library leaked
PIECE_BYTES = 65_536
log = structlog.get_logger(__name__)


class ProcessFailed(AppError):
    """Raised for an order that crashed its process, took too long, or raised; other orders are not concerned."""

    code = "process_failed"


class Processes:
    """Up to `most` processes, but one per core at most, that each answer one order at a time.

    `target` is `module:function`, found from `folder`; a process calls the function once with `arguments`, and what it
    returns with each order. Orders and answers are JSON. The processes have none of the application, start when they
    are needed, and end with this one. `seconds` is how long an order may take.
    """

    def __init__(self, folder: Path, target: str, *arguments: str, most: int, seconds: float) -> None:
        self._command = [str(folder), target, *arguments]
        self.size, self._seconds = min(most, usable_cores()), seconds
        self._places, self._idle = threading.Semaphore(self.size), list[_Process]()

    def ask(self, order: Any, context: JobContext) -> Any:
        """Return the answer to an order of a job; raise ProcessFailed, or JobStopped when the job should end."""
        with self._places:
            process = self._take()
            try:
                answer = process.ask(order, self._seconds, context)
            except BaseException as error:
                process.end()
                log.warning("process_ended", reason=str(error) or type(error).__name__)
                raise
            self._put_back(process)
        if "error" in answer:
            raise ProcessFailed(f"It failed with {answer['error']}.")
        return answer["answer"]

    def _take(self) -> "_Process":
        """Return an idle process that lives, or a new one."""
        with suppress(IndexError):  # another thread may take the last one
            while process := self._idle.pop():
                if process.lives():
                    return process
                process.end()
        return _Process(self._command)

    def _put_back(self, process: "_Process") -> None:
        if process.orders < ORDERS:
            self._idle.append(process)
        else:
            process.end()


class _Process:
    def __init__(self, command: list[str]) -> None:
        self._socket, other = socket.socketpair()  # it waits for green threads too, unlike pipes
        started = [sys.executable, "-I", str(CHILD), str(other.fileno()), *command]
        self._process, self._lifeline = lifeline.start(started, pass_fds=[other.fileno()], stdin=subprocess.DEVNULL)
        other.close()
        self._socket.settimeout(LOOK_SECONDS)
        self.orders = 0

    def ask(self, order: Any, seconds: float, context: JobContext) -> dict[str, Any]:
        """Return the answer; after an error the process must be ended."""
        if not self.orders:
            self._answer(START_SECONDS, context)
        self.orders += 1
        self._order(json.dumps(order).encode() + b"\n", seconds, context)
        return self._answer(seconds, context)

    def lives(self) -> bool:
        """Return whether the process runs."""
        return self._process.poll() is None

    def end(self) -> None:
        """Kill the process."""
        self._socket.close()
        self._process.kill()
        self._lifeline.close()
        self._process.wait()

    def _order(self, order: bytes, seconds: float, context: JobContext) -> None:
        left, deadline = memoryview(order), time.monotonic() + seconds
        while left:
            _check(context, seconds, deadline)
            try:
                left = left[self._socket.send(left) :]
            except TimeoutError:
                continue  # a large order, and the process is slow to read
            except OSError:
                raise ProcessFailed("The process died.") from None

    def _answer(self, seconds: float, context: JobContext) -> dict[str, Any]:
        got, deadline = b"", time.monotonic() + seconds
        while not got.endswith(b"\n"):
            _check(context, seconds, deadline)
            got += self._piece()
        answer: dict[str, Any] = json.loads(got)
        return answer

    def _piece(self) -> bytes:
        try:
            piece = self._socket.recv(PIECE_BYTES)
        except TimeoutError:
            return b""
        except OSError:
            piece = b""
        if not piece:
            raise ProcessFailed("The process died.")
        return piece


def _check(context: JobContext, seconds: float, deadline: float) -> None:
    context.check()
    if time.monotonic() > deadline:
        raise ProcessFailed(f"It took longer than {seconds:g} s.")
