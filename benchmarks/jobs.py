"""Compares trivial jobs: enqueued a second, finished a second with four at once, and latency from enqueue to start.

    python benchmarks/jobs.py [--jobs N] [--only NAME ...] [--database-url URL] [--write]

This project runs with `flask jobs work` on SQLite and on PostgreSQL, and with workers of Celery; beside it Celery, RQ,
Huey, Dramatiq and Procrastinate, in an environment of their own with locked requirements. PostgreSQL is an empty
database at --database-url, or else a server that runs meanwhile and does not wait for its disk (fsync), as Redis does
not, if it is installed. Each side enqueues without a worker first, then a worker finishes them. A worker's start is not
counted; its memory is that of all of its processes (PSS).
"""

import argparse
import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median, quantiles

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from benchmarks import page
from benchmarks.install import CACHE, HERE, install_python, need
from benchmarks.processes import family, memory_kb, redis_server
from chassis.tests import postgres

ROOT, PEERS, PORT = HERE.parent, HERE / "peers", 16_379
URL, WAIT_SECONDS = f"redis://127.0.0.1:{PORT}/0", 300
LATENCIES, PAUSE_SECONDS = 60, 0.05
OURS, THEIRS = sys.executable, str(CACHE / "jobs/bin/python")
WORK = (OURS, "-m", "chassis.serving.worker")
CELERY = (THEIRS, "-m", "celery", "-A", "peer_celery", "worker", "-c", "4", "-l", "WARNING")
HUEY = (THEIRS, "-m", "huey.bin.huey_consumer", "-w", "4", "-q")
RQ = (THEIRS, "-m", "rq.cli", "worker", "-q", "--url", URL)
DRAMATIQ = (THEIRS, "-m", "dramatiq", "peer_dramatiq", "-p", "1", "-t", "4")
PROCRASTINATE = (THEIRS, "-m", "procrastinate", "-a", "peer_procrastinate.app", "worker", "-c", "4")


@dataclass(frozen=True)
class Side:
    """What enqueues, the command of its worker, and its settings."""

    name: str
    enqueue: tuple[str, ...]
    worker: tuple[str, ...]
    env: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Figures:
    """Jobs a second, milliseconds from enqueue to start, and the worker's memory in MB."""

    enqueued: float
    finished: float
    latency_ms: float
    latency_p95_ms: float
    memory_mb: float


def sides(database_url: str) -> list[Side]:
    """Return all sides; those on PostgreSQL only with its URL."""
    ours, theirs = (OURS, str(PEERS / "jobs_ours.py")), (THEIRS, str(PEERS / "jobs_peers.py"))
    engine, plain = {"JOBS_ENGINE": "celery", "JOBS_BROKER_URL": URL}, database_url.replace("+psycopg", "")
    found = [
        Side("ours, SQLite", ours, WORK),
        Side("ours, PostgreSQL", ours, WORK, {"DATABASE_URL": database_url}),
        Side("ours, Celery, SQLite", ours, WORK, engine),
        Side("ours, Celery, PostgreSQL", ours, WORK, engine | {"DATABASE_URL": database_url}),
        Side("Celery, prefork", (*theirs, "celery"), CELERY),
        Side("Celery, threads", (*theirs, "celery"), (*CELERY, "-P", "threads")),
        Side("RQ, Worker", (*theirs, "rq"), RQ),
        Side("RQ, SimpleWorker", (*theirs, "rq"), (*RQ, "-w", "rq.SimpleWorker")),
        Side("Huey, SQLite", (*theirs, "huey_sqlite"), (*HUEY, "peer_huey_sqlite.huey")),
        Side("Huey, Redis", (*theirs, "huey_redis"), (*HUEY, "peer_huey_redis.huey")),
        Side("Dramatiq, Redis", (*theirs, "dramatiq"), DRAMATIQ),
        Side(
            "Procrastinate, PostgreSQL",
            (*theirs, "procrastinate"),
            PROCRASTINATE,
            {"DATABASE_URL": plain},
        ),
    ]
    return [side for side in found if database_url or "PostgreSQL" not in side.name]


def measure(side: Side, number: int) -> Figures:
    """Run one side in a folder of its own."""
    with tempfile.TemporaryDirectory() as name, redis_server(Path(name), PORT):
        folder, told = Path(name), Path(name) / "told"
        kept = {key: value for key, value in os.environ.items() if key in ("PATH", "HOME", "LANG")}
        env = kept | {"REDIS": URL, "FOLDER": name, "APP_ENV": "test", "LOG_LEVEL": "WARNING", "JOBS_CONCURRENCY": "4"}
        env |= {"DATABASE_URL": f"sqlite:///{name}/app.db", "FLASK_APP": str(PEERS / "jobs_ours.py")} | side.env
        where = ROOT if side.enqueue[0] == OURS else PEERS
        if where is ROOT:
            subprocess.run([OURS, "-m", "chassis.boot"], cwd=ROOT, env=env, check=True, stdout=subprocess.DEVNULL)
        enqueue = [*side.enqueue]
        seconds = queue(enqueue, number, 0.0, told, env, where)
        with worker(side, folder, env, where) as pid:
            times = started(told, number)
            finished = (number - 1) / (times[-1][1] - times[0][1])
            queue(enqueue, LATENCIES, PAUSE_SECONDS, told, env, where)
            waits = [1000 * (start - at) for at, start in started(told, number + LATENCIES)[number:]]
            memory = memory_kb(family(pid)) / 1024
    return Figures(number / seconds, finished, median(waits), quantiles(waits, n=20)[-1], memory)


def queue(command: list[str], number: int, pause: float, told: Path, env: dict[str, str], where: Path) -> float:
    """Queue jobs in a process; return the seconds that it took."""
    whole = [*command, str(number), str(pause), str(told)]
    done = subprocess.run(whole, cwd=where, env=env, check=True, capture_output=True, text=True)
    return float(done.stdout.split()[-1])


def started(told: Path, number: int) -> list[tuple[float, float]]:
    """Wait until jobs have reported; return (enqueued, started) of each in the order of their starts."""
    deadline = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < deadline:
        lines = told.read_text().splitlines() if told.exists() else []
        if len(lines) >= number:
            pairs = [tuple(map(float, line.split())) for line in lines]
            return sorted(((at, start) for at, start in pairs), key=lambda pair: pair[1])
        time.sleep(0.1)
    sys.exit(f"Only {len(lines)} of {number} jobs ran within {WAIT_SECONDS} s.")


@contextlib.contextmanager
def worker(side: Side, folder: Path, env: dict[str, str], where: Path) -> Iterator[int]:
    """Run the side's worker; yield its pid."""
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(side.worker, cwd=where, env=env, stdout=log, stderr=log, start_new_session=True)
        try:
            yield process.pid
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


@contextlib.contextmanager
def postgresql(url: str) -> Iterator[str]:
    """Yield the URL of an empty database, or nothing if PostgreSQL is not installed."""
    if url or not postgres.installed():
        yield url
        return
    with postgres.running() as server:
        yield f"{server.url}/postgres"


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--jobs", type=int, default=2_000, help="how many jobs each side runs")
    parser.add_argument("--only", action="append", help="the beginning of a side's name; may be given more than once")
    parser.add_argument("--database-url", default="", help="an empty database of PostgreSQL")
    parser.add_argument("--write", action="store_true", help="write the table to chassis/docs/performance.md")
    arguments = parser.parse_args()
    need("redis-server", "redis-cli")
    CACHE.mkdir(exist_ok=True)
    install_python("jobs")
    lines = ["| | enqueued a second | finished a second | latency, ms | p95 | memory, MB |", f"|---|{'---:|' * 5}"]
    print("\n".join(lines))
    with postgresql(arguments.database_url) as url:
        for side in sides(url):
            if arguments.only is None or side.name.startswith(tuple(arguments.only)):
                lines.append(row(side.name, measure(side, arguments.jobs)))
                print(lines[-1], flush=True)
    if arguments.write:
        said = f"{arguments.jobs:,} trivial jobs, four at once"
        page.put("jobs", "\n".join(lines), f"{page.conditions(1)}: {said}.")


def row(name: str, found: Figures) -> str:
    """Return a side's line of the table."""
    numbers = (found.enqueued, found.finished, found.latency_ms, found.latency_p95_ms, found.memory_mb)
    return f"| {name} | {' | '.join(f'{number:,.0f}' for number in numbers)} |"


if __name__ == "__main__":
    main()
