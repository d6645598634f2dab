"""Compares the CPU time of starts in checkouts: `taskset -c 1 python benchmarks/start.py OTHER [ANOTHER ...]`."""

import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TIMES, POLL_SECONDS = 9, 0.05
SERVE = [sys.executable, "-m", "gunicorn", "-c", "gunicorn_config.py", "wsgi:app"]


def ready(port: int) -> bool:
    """Return whether the service answers that it is ready."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz") as answer:
            return answer.status == 200
    except OSError:
        return False


def start(root: Path, folder: str) -> float:
    """Start a checkout's service, stop it when it is ready, and return the CPU seconds of all its processes."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    own = {"APP_ENV": "test", "PORT": str(port), "DATABASE_URL": f"sqlite:///{folder}/app.db"}
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT / "chassis/tests/lean"), **own}
    with Path(folder, "log").open("ab") as log:
        process = subprocess.Popen(SERVE, cwd=root, env=env, stdout=log, stderr=log)
    while not ready(port):
        if process.poll() is not None:
            raise SystemExit(f"{root} does not start:\n{Path(folder, 'log').read_text()}")
        time.sleep(POLL_SECONDS)
    process.send_signal(signal.SIGTERM)
    _, _, used = os.wait4(process.pid, 0)
    return used.ru_utime + used.ru_stime


def compare(roots: list[Path]) -> None:
    """Start each service once to make its database, then all by turns, and print the medians."""
    with tempfile.TemporaryDirectory() as place:
        folders = [Path(place, str(number)) for number, _ in enumerate(roots)]
        for folder, root in zip(folders, roots, strict=True):
            folder.mkdir()
            start(root, str(folder))
        runs = [[start(root, str(folder)) for folder, root in zip(folders, roots, strict=True)] for _ in range(TIMES)]
    for root, found in zip(roots, zip(*runs, strict=True), strict=True):
        print(f"{statistics.median(found):.2f} CPU s  ({min(found):.2f} to {max(found):.2f})  {root}")


if __name__ == "__main__":
    compare([ROOT, *map(Path, sys.argv[1:])])
