"""The compared servers: how each is started, pinned to a core, and how much memory it takes."""

import contextlib
import os
import random
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

from benchmarks.install import CACHE, HERE

ROOT = HERE.parent
TITLES = {
    "ours": "this project",
    "gevent": "this project, gevent",
    "threading": "this project, threads",
    "stock": "(a) gunicorn eventlet",
    "asgi": "(b) ASGI, uvicorn",
    "node": "(c) Node",
}
MODES = {"ours": "eventlet", "gevent": "gevent", "threading": "threading"}  # the sides that are this project
THREADS = "1000"  # each socket takes one
CLIENTS = "20000"  # a limit that must not be reached
START_SECONDS = 60
QUIET_SHARE = 0.1
QUIET_SECONDS = 30


def cores() -> tuple[str, str]:
    """Return the cores of the server and of the client."""
    available = sorted(os.sched_getaffinity(0))
    if len(available) < 2:
        sys.exit("The benchmark needs two cores: one for the server, one for the client.")
    return str(available[0]), str(available[1])


def command(side: str, port: int) -> list[str]:
    """Return the command that starts a server, as in its documentation."""
    gunicorn, limits = ["-m", "gunicorn"], ["--worker-connections", CLIENTS]
    address, peers = f"127.0.0.1:{port}", str(HERE / "peers")
    if side in MODES:
        return [sys.executable, *gunicorn, "-c", "gunicorn_config.py", "benchmarks.peers.ours:app"]
    if side == "stock":
        options = ["-k", "eventlet", "-w", "1", *limits, "-b", address, "--chdir", peers, "--no-control-socket"]
        return [str(CACHE / "stock/bin/python"), *gunicorn, *options, "stock:app"]
    if side == "asgi":
        options = ["--port", str(port), "--app-dir", peers, "--no-access-log", "--log-level", "warning"]
        return [str(CACHE / "asgi/bin/python"), "-m", "uvicorn", *options, "asgi:app"]
    return ["node", str(HERE / "peers/node.js"), str(port)]


def environment(side: str, port: int, folder: Path) -> dict[str, str]:
    """Return the environment of a server; ours runs with everything that a deployment enables."""
    kept = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG", "TMPDIR")}
    ours = {
        "APP_ENV": "test",
        "HOST": "127.0.0.1",
        "PORT": str(port),
        "DATABASE_URL": f"sqlite:///{folder}/{side}.db",
        "LOG_FORMAT": "json",
        "ASYNC_MODE": MODES.get(side, ""),
        "GUNICORN_THREADS": THREADS,
        "SOCKET_TRANSPORT": "fast",
        "GUNICORN_WORKER_CONNECTIONS": CLIENTS,
        "SOCKET_MAX_CONNECTIONS": CLIENTS,
    }
    node = {"NODE_PATH": str(CACHE / "node/node_modules"), "NODE_ENV": "production"}
    return kept | (ours if side in MODES else node if side == "node" else {})


class Server:
    """A running server process."""

    def __init__(self, side: str, folder: Path) -> None:
        self.side, self.port = side, free_port()
        self.log = folder / f"{side}.log"
        pinned = ["taskset", "-c", cores()[0], *command(side, self.port)]
        with self.log.open("wb") as log:
            env = environment(side, self.port, folder)
            self.process = subprocess.Popen(pinned, cwd=ROOT, env=env, stdout=log, stderr=subprocess.STDOUT)
        self._wait_ready()
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        self.pid = int(children[0]) if children else self.process.pid  # gunicorn's worker

    def _wait_ready(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/json", timeout=5):
                    return
            except OSError:
                time.sleep(0.1)
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                sys.exit(f"{self.side} does not serve:\n{self.log.read_text(errors='replace')[-2000:]}")

    def memory(self) -> int:
        """Return the resident bytes of the serving process."""
        return int(Path(f"/proc/{self.pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def settle(self) -> None:
        """Wait until the server has finished the work of the last run."""
        deadline = time.monotonic() + QUIET_SECONDS
        while time.monotonic() < deadline:
            before = self._cpu_seconds()
            time.sleep(0.3)
            if self._cpu_seconds() - before < 0.3 * QUIET_SHARE:
                return

    def _cpu_seconds(self) -> float:
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def stop(self) -> None:
        """Stop the server and its child processes."""
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(15)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def free_port() -> int:
    """Return an unused port outside the range from which clients get theirs."""
    while True:
        port = random.randrange(20_000, 30_000)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
