"""Real servers of the application in separate processes."""

import contextlib
import fcntl
import functools
import json
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from chassis.tests.named import HAS_EXAMPLE
from chassis.tests.patience import LIMIT_SECONDS, wait_until
from chassis.tests.suite.fast import refuse_in_a_fast_run

ROOT = Path(__file__).resolve().parents[2]
ASYNC_MODE = os.environ.get("TEST_ASYNC_MODE", "eventlet")
SOCKET_TRANSPORT = os.environ.get("TEST_SOCKET_TRANSPORT", "")
# Where both can be chosen, the stock transport is for the long run.
needs_example = pytest.mark.skipif(not HAS_EXAMPLE, reason="uses the example, which was deleted")
same_in_every_mode = pytest.mark.skipif(ASYNC_MODE != "eventlet", reason="the same in every mode")
TRANSPORTS = ["stock"] if ASYNC_MODE == "threading" else ["fast", pytest.param("stock", marks=pytest.mark.long)]
CLEAN = {k: v for k, v in os.environ.items() if k in ("PATH", "HOME", "LANG", "TMPDIR", "CI", "SSL_CERT_FILE")}
PATIENT = dict.fromkeys(  # no client of a test is too slow for its server because the machine is busy
    [
        "GUNICORN_TIMEOUT_SECONDS",
        "HTTP_BODY_SECONDS",
        "HTTP_HEADER_SECONDS",
        "SOCKET_HANDSHAKE_SECONDS",
        "SOCKET_PING_TIMEOUT_SECONDS",
    ],
    str(round(LIMIT_SECONDS)),
)
LEAN = {**CLEAN, "PYTHONPATH": str(ROOT / "chassis/tests/lean")}  # what only the tests need is hidden


def free_port() -> int:
    """Return a port below the range of clients' ephemeral ports, which others may take while the server boots."""
    while True:
        port = random.SystemRandom().randrange(10_000, 32_000)  # tests of a run begin with the same seed
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


SERVE = [sys.executable, "-m", "gunicorn", "-c", "gunicorn_config.py", "wsgi:app"]  # what run_web.py becomes


def gunicorn(folder: Path, application: str) -> list[str]:
    """Return the command that serves a test application, which is a module in that folder."""
    command = [sys.executable, "-m", "gunicorn", "-c", "gunicorn_config.py"]
    return [*command, "--pythonpath", str(folder), application]


@functools.cache
def migrated_database() -> bytes:
    """Return the database that a boot creates from scratch; the processes of a run share it."""
    if not (folder := os.environ.get("TEST_SHARED")):
        return booted_database()
    path = Path(folder, "migrated.db")
    with Path(folder, "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not path.exists():
            path.write_bytes(booted_database())
    return path.read_bytes()


def booted_database() -> bytes:
    """Return the database of a service that has booted once."""
    with tempfile.TemporaryDirectory() as folder:
        env = {**LEAN, "APP_ENV": "test", "DATABASE_URL": f"sqlite:///{folder}/app.db"}
        subprocess.run([sys.executable, "-m", "chassis.boot"], cwd=ROOT, env=env, check=True, stdout=subprocess.DEVNULL)
        return Path(folder, "app.db").read_bytes()


def new_database(folder: Path, *, empty: bool = False) -> str:
    """Return the URL of a migrated database of a folder, created if it does not exist."""
    if "TEST_POSTGRES" in os.environ:
        from chassis.tests import postgres

        return postgres.database_of(folder, empty=empty)
    path = folder / "app.db"
    if not empty and not path.exists():
        path.write_bytes(migrated_database())
    return f"sqlite:///{path}"


def copied_database(url: str, folder: Path) -> str:
    """Return the URL of a folder's copy of a database that nobody has open; it replaces an earlier one."""
    if "TEST_POSTGRES" in os.environ:
        from chassis.tests import postgres

        return postgres.copied(url, folder)
    path = folder / "app.db"
    shutil.copy(url.removeprefix("sqlite:///"), path)
    return f"sqlite:///{path}"


def cpu_seconds(pid: int) -> float:
    """Return a process's CPU time, which unlike the elapsed time does not grow on a loaded machine."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Server:
    """A real server process of the application."""

    def __init__(self, folder: Path, command: list[str], env: dict[str, str]) -> None:
        self.folder, self.port = folder, int(env["PORT"])
        self.url = f"http://127.0.0.1:{self.port}"
        self.log_path = folder / f"server-{self.port}.log"
        self.env = {**LEAN, **PATIENT, **env}
        self.command = command
        self.start()

    def start(self) -> None:
        refuse_in_a_fast_run("a server")
        with self.log_path.open("ab") as log:
            self.process = subprocess.Popen(self.command, cwd=ROOT, env=self.env, stdout=log, stderr=subprocess.STDOUT)
        self.pid = self.process.pid

    @property
    def log(self) -> str:
        return self.log_path.read_text(errors="replace")

    def wait_ready(self) -> "Server":
        def ready():
            assert self.process.poll() is None, f"the server ended with {self.process.returncode}:\n{self.log}"
            return self.get("/readyz")[0] == 200

        wait_until(ready, f"not ready:\n{self.log}")
        return self

    def get(self, path: str, headers: dict[str, str] | None = None) -> tuple[int, str]:
        return self.request("GET", path, headers=headers)

    def json(self, path: str):
        return json.loads(self.get(path)[1])

    def post(self, path: str, body: object = None) -> tuple[int, dict]:
        data = json.dumps(body if body is not None else {}).encode()
        status, text = self.request("POST", path, data, {"Content-Type": "application/json"})
        return status, json.loads(text)

    def request(self, method: str, path: str, data: bytes | None = None, headers=None) -> tuple[int, str]:
        request = urllib.request.Request(self.url + path, data=data, headers=headers or {}, method=method)
        try:
            with urllib.request.urlopen(request, timeout=LIMIT_SECONDS) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()
        except OSError:
            return 0, ""

    def workers(self) -> list[int]:
        found = subprocess.run(["pgrep", "-P", str(self.pid)], capture_output=True, text=True, check=False)
        return [int(line) for line in found.stdout.split()]

    def metric(self, name: str) -> float:
        """Return the sum of a metric's samples."""
        lines = [line for line in self.get("/metrics")[1].splitlines() if re.match(rf"{name}(\{{| )", line)]
        return sum(float(line.rpartition(" ")[2]) for line in lines)

    def stop(self, seconds: float = LIMIT_SECONDS) -> int:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(seconds)
            except subprocess.TimeoutExpired:
                for pid in [*self.workers(), self.pid]:
                    os.kill(pid, signal.SIGKILL)
                self.process.wait()
                raise AssertionError(f"the server did not stop:\n{self.log}") from None
        return self.process.returncode
