"""Measures the rows of a batch a second, with an outside API that answers at once.

    python benchmarks/rows.py [--rows N] [--rounds N] [--modes eventlet,gevent,threading] [--write]

A batch of the example runs with 32 calls at once, on SQLite, and, if it is installed, on a PostgreSQL that runs
meanwhile and does not wait for its disk (fsync). No two prompts are the same. Server, API and database share all cores.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from urllib.request import Request, urlopen

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from benchmarks import page
from benchmarks.servers import ROOT, free_port
from chassis.tests import postgres
from chassis.tests.named import EXAMPLE, HAS_EXAMPLE
from chassis.tests.services import FAKE_UPSTREAM

SERVE = [sys.executable, "-m", "gunicorn", "-c", "gunicorn_config.py", "wsgi:app"]
START_SECONDS, POLL_SECONDS = 120.0, 0.5
AT_ONCE = "32"
WITHOUT_LIMITS = {"UPSTREAM_REQUESTS_PER_SECOND": "100000", "RATE_LIMIT_DEFAULT": "100000 per second"}


def main() -> None:
    """Print a table with a row for each mode, and write it to chassis/docs/performance.md if asked to."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rows", type=int, default=2_000, help="how many rows a batch has")
    parser.add_argument("--rounds", type=int, default=3, help="the table holds their medians")
    parser.add_argument("--modes", default="eventlet,gevent,threading", help="separated by commas")
    parser.add_argument("--write", action="store_true", help="write the table to chassis/docs/performance.md")
    arguments = parser.parse_args()
    if not HAS_EXAMPLE:
        sys.exit("The benchmark runs batches of the example, which was deleted.")
    databases = ["SQLite", *(["PostgreSQL"] if postgres.installed() else [])]
    lines = [f"| rows a second | {' | '.join(databases)} |", f"|---|{'---:|' * len(databases)}"]
    print("\n".join(lines))
    for mode in arguments.modes.split(","):
        cells = [median(measured(mode, name, arguments.rows) for _ in range(arguments.rounds)) for name in databases]
        lines.append(f"| {mode} | {' | '.join(f'{rate:,.0f}' for rate in cells)} |")
        print(lines[-1], flush=True)
    if arguments.write:
        said = f"A batch of {arguments.rows:,} rows, {AT_ONCE} at once, beside the API and the database."
        page.put("rows", "\n".join(lines), f"{page.conditions(arguments.rounds)}. {said}")


def measured(mode: str, database: str, rows: int) -> float:
    """Return the rows a second of one batch in a new server."""
    with tempfile.TemporaryDirectory() as folder, url_of(database, folder) as url, api() as base:
        env = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG")}
        env |= {"APP_ENV": "test", "PORT": str(free_port()), "ASYNC_MODE": mode, "DATABASE_URL": url, **WITHOUT_LIMITS}
        env |= {"UPSTREAM_BASE_URL": base, "UPSTREAM_MAX_CONCURRENT_REQUESTS": AT_ONCE}
        env |= {"OPENROUTER_API_KEY": "sk-local-12345678"}  # pragma: allowlist secret
        with (
            Path(folder, "log").open("wb") as log,
            subprocess.Popen(SERVE, cwd=ROOT, env=env, stdout=log, stderr=log) as server,
        ):
            try:
                return run(f"http://127.0.0.1:{env['PORT']}", rows)
            finally:
                server.terminate()


def run(site: str, rows: int) -> float:
    """Start a batch when the service is ready, and return its rows a second when it has ended."""
    deadline = time.monotonic() + START_SECONDS
    while not is_ready(site):
        if time.monotonic() > deadline:
            sys.exit("the service does not start")
        time.sleep(POLL_SECONDS)
    batch = {"name": "rows", "prompt": "say {n}", "rows": [{"n": str(number)} for number in range(rows)]}
    since = time.monotonic()
    made = asked(Request(f"{site}/api/{EXAMPLE}", json.dumps(batch).encode(), {"Content-Type": "application/json"}))
    while (found := asked(Request(f"{site}/api/{EXAMPLE}/{made['id']}")))["status"] in ("queued", "running"):
        time.sleep(POLL_SECONDS)
    if (found["status"], found["done"], found["failed"]) != ("succeeded", rows, 0):
        sys.exit(f"the batch ended as {found}")
    return rows / (time.monotonic() - since)


def is_ready(site: str) -> bool:
    """Return whether the service is ready."""
    try:
        with urlopen(f"{site}/readyz") as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def asked(request: Request) -> dict[str, object]:
    """Return the JSON that answers a request."""
    with urlopen(request) as answer:
        found: dict[str, object] = json.load(answer)
        return found


@contextmanager
def api() -> Iterator[str]:
    """Run the outside API; yield its URL."""
    with subprocess.Popen([*FAKE_UPSTREAM, "--port", "0"], cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield f"{process.stdout.readline().strip()}/v1"
        finally:
            process.terminate()


@contextmanager
def url_of(database: str, folder: str) -> Iterator[str]:
    """Yield the URL of an empty database."""
    if database == "SQLite":
        yield f"sqlite:///{folder}/app.db"
        return
    with postgres.running() as server:
        yield f"{server.url}/postgres"


if __name__ == "__main__":
    main()
