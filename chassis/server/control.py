"""Manages a server in the background: its pid file, and start, stop and reload."""

import contextlib
import fcntl
import http.client
import os
import signal
import socket
import subprocess
import time
from pathlib import Path

STARTED_SECONDS, POLL_SECONDS = 900, 0.1  # starting may include downloading a database
LOG_LINES = 10


class ControlError(Exception):
    """The request cannot be carried out; the message says why and what to do."""

    def __init__(self, message: str, exit_status: int = 1) -> None:
        super().__init__(message)
        self.message, self.exit_status = message, exit_status


class PidFile:
    """Holds a server's pid, locked while the server or one of its children lives, so that a pid is never stale."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def take(self) -> None:
        """Write this process' pid and keep the lock through exec; raise ControlError if a server holds it."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            file = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o644)
        except OSError as error:
            raise ControlError(f"The pid file {self.path} cannot be written: {error.strerror}.") from None
        if not _lock(file):
            raise ControlError(
                f"The server is already running, with pid {self.pid()}: use `run_web.py reload` or `stop`."
            )
        os.ftruncate(file, 0)
        os.write(file, f"{os.getpid()}\n".encode())
        os.set_inheritable(file, True)  # gunicorn and its workers inherit the lock

    def pid(self) -> int | None:
        """Return the pid of the running server, or None."""
        try:
            with self.path.open() as file:
                return None if _lock(file.fileno()) else int(file.read())
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            raise ControlError(f"The pid file {self.path} cannot be read: {error}.") from None

    def running(self) -> int:
        """Return the pid of the running server; raise ControlError if there is none."""
        pid = self.pid()
        if pid is None:
            raise ControlError(f"The server is not running: {self.path} has no live process.")
        return pid

    def stop(self, seconds: float) -> int:
        """Stop the server gracefully and wait for it to exit; return its pid."""
        pid = self.running()
        os.kill(pid, signal.SIGTERM)
        deadline = time.monotonic() + seconds
        while self.pid() is not None:
            if time.monotonic() > deadline:
                raise ControlError(f"The server has not stopped within {seconds:g} s: `kill -9 {pid}` forces it to.")
            time.sleep(POLL_SECONDS)
        self.path.unlink(missing_ok=True)
        return pid

    def reload(self) -> int:
        """Reload the server with new workers; return its pid."""
        pid = self.running()
        os.kill(pid, signal.SIGHUP)
        return pid


def start(command: list[str], log: Path, address: tuple[str, int]) -> int:
    """Start a server in the background; return its pid once it answers at (host, port), or raise ControlError."""
    with contextlib.suppress(OSError), socket.create_connection(address, POLL_SECONDS):
        raise ControlError(f"Port {address[1]} is in use by another process.")
    log.parent.mkdir(parents=True, exist_ok=True)
    with os.fdopen(os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600), "ab") as written:
        begin = written.tell()
        streams = {"stdin": subprocess.DEVNULL, "stdout": written, "stderr": written}
        process = subprocess.Popen(command, **streams, start_new_session=True)  # type: ignore[call-overload]
    deadline = time.monotonic() + STARTED_SECONDS
    while not answers(address, "/livez"):
        if process.poll() is not None:
            said = log.read_bytes()[begin:].decode(errors="replace").splitlines()[-LOG_LINES:]
            raise ControlError("\n".join(said), process.returncode)
        if time.monotonic() > deadline:
            raise ControlError(f"The server has not started within {STARTED_SECONDS} s: see {log}.")
        time.sleep(POLL_SECONDS)
    return int(process.pid)


def answers(address: tuple[str, int], path: str) -> bool:
    """Return whether a server answers this path with status 200."""
    connection = http.client.HTTPConnection(*address, timeout=5)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _lock(file: int) -> bool:
    """Return whether the file could be locked, which means that no other process holds it."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
