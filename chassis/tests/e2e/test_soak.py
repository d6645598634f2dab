"""A minute of everything at once: two processes that write to one SQLite file, logs, scrapes, reads and sockets."""

import re
import shutil
import subprocess
import sys

import pytest

from chassis.tests.conftest import CLEAN, ROOT
from chassis.tests.e2e.load import Load, Memory, quantile
from chassis.tests.patience import LIMIT_SECONDS, let_pass

SECONDS = 60
MAX_GROWTH_MEGABYTES = 20
MAX_LAG_SECONDS = 2.5  # generous: the machine is shared, and the load itself takes a core; a lock holds up for more
WRONG = re.compile(
    r"cannot switch to a different thread|database is locked|Traceback|job_(delivery|caretaker)_error|watcher_error"
)


@pytest.fixture
def copy(tmp_path):
    """A copy of the application with one more feature, so that the test needs none that may be deleted."""
    folder = tmp_path / "copy"
    for name in ("app", "chassis"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", "tests"))
    for name in ("run_web.py", "wsgi.py", "gunicorn_config.py"):
        shutil.copy(ROOT / name, folder)
    (folder / "app/features/soak").mkdir()
    shutil.copy(ROOT / "chassis/tests/e2e/soak_feature.py", folder / "app/features/soak/__init__.py")
    return folder


@pytest.fixture
def second(copy, tmp_path):
    """Return a function that starts a process that takes jobs from the same database and gives its log."""
    started = []

    def start(server):
        log = tmp_path / "second.log"
        env = {**CLEAN, **server.env}
        with log.open("wb") as out:
            command = [sys.executable, "-m", "flask", "jobs", "work"]
            started.append(subprocess.Popen(command, cwd=copy, env=env, stdout=out, stderr=subprocess.STDOUT))
        return started[-1], log

    yield start
    for process in started:
        process.kill()
        process.wait()


def answered(server, path, method="GET"):
    """Return what is wrong with the answer, or None."""
    status, text = server.request(method, path)
    return None if status == 200 else f"{method} {path}: {status} {text[:200]}"


def put_load_on(server, clients, memory):
    load = Load()
    load.repeat("enqueue", lambda: answered(server, "/soak", "POST"), 0.2)
    load.repeat("scrape", lambda: answered(server, "/metrics"), 0.1)
    for path in ("/api/jobs?per_page=50", "/readyz", "/", "/api/jobs?state=running"):
        load.repeat(f"read {path}", lambda path=path: answered(server, path), 0.1)
    for one in clients:
        load.repeat("socket", lambda one=one: subscribed(server, one), 0.2)
    load.repeat("memory", memory.note, 1.0)
    return load


def subscribed(server, one):
    job = server.json("/api/jobs?per_page=1")["items"]
    answer = one.call("job:subscribe", {"id": job[0]["id"]}, timeout=LIMIT_SECONDS) if job else {"ok": True}
    return None if answer["ok"] else str(answer)


def all_done(server):
    return not any(server.json(f"/api/jobs?state={state}")["total"] for state in ("queued", "running"))


@pytest.mark.long
@pytest.mark.timeout(240)
def test_a_minute_of_contended_writes_logs_scrapes_and_sockets_leaves_no_mark(serve, client, copy, second, wait_for):
    server = serve(command=[sys.executable, str(copy / "run_web.py")], JOBS_CONCURRENCY="3", LOG_LEVEL="DEBUG")
    other, other_log = second(server)
    memory = Memory(server.workers()[0])
    clients = [client(server) for _ in range(5)]
    load = put_load_on(server, clients, memory)
    let_pass(SECONDS)
    load.stop()
    wait_for(lambda: all_done(server), "jobs were left")
    metrics = server.get("/metrics")[1]
    done, total = (server.json(f"/api/jobs{query}")["total"] for query in ("?state=succeeded", ""))
    lag = quantile(metrics, "app_hub_lag_seconds", 0.99)
    growth = memory.growth_megabytes()
    print(f"{dict(load.calls)}, lag p99 <= {lag} s, memory {memory.seen[-1][1]:.0f} MB {growth:+.1f} MB")
    assert load.problems == []
    assert done == total == load.calls["enqueue"] > 20
    assert server.metric("http_requests_total") > 200
    assert not re.search(r'http_requests_total\{[^}]*status="5', metrics)
    assert lag <= MAX_LAG_SECONDS
    assert growth < MAX_GROWTH_MEGABYTES
    assert other.poll() is None
    assert all(one.connected and any(event == "job:update" for event, *_ in one.received) for one in clients)
    here, there = server.log, other_log.read_text()
    assert min(text.count("job_started") for text in (here, there)) > 2, "both processes take jobs"
    assert not (found := WRONG.search(here + there)), (here + there)[found.start() - 2000 : found.end() + 2000]
