"""The boot goes in order and once, and ends with the process that started it."""

import http.server
import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from chassis.boot import boot
from chassis.db import db, state
from chassis.db.state import FAILED_BOOT
from chassis.settings import Settings
from chassis.tests.boot.seeds import refused, snapshot
from chassis.tests.conftest import CLEAN, ROOT
from chassis.tests.patience import LIMIT_SECONDS
from chassis.tests.servers import new_database

STEPS = ["fetch the snapshot", "check the database", "check Redis", "migrate", "reset stalled jobs"]


@pytest.fixture
def stalling_server():
    """A server that accepts a request and never answers."""
    gate = threading.Event()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            gate.wait()

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/a.db"
    gate.set()
    server.shutdown()


def boot_child(server):
    """Return the pid of the only child that a master has while the port is closed."""
    return server.workers() if refused(server.port) else []


def test_every_step_is_logged_in_order_with_its_duration_and_a_snapshot_is_there_before_the_migrations(serve, tmp_path):
    began = int(time.time())  # whole seconds are kept
    url, checksum = snapshot(tmp_path)
    server = serve(DATABASE_SNAPSHOT_URL=url, DATABASE_SNAPSHOT_SHA256=checksum)
    lines = [json.loads(line) for line in server.log.splitlines() if '"boot_step"' in line]
    assert [line["step"] for line in lines] == STEPS
    assert all(line["duration_seconds"] >= 0 for line in lines)
    with sqlite3.connect(tmp_path / "app.db") as connection:
        names = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
    assert {"seeded", "jobs", "alembic_version"} <= names
    assert 'app_snapshot_info{outcome="installed"} 1.0' in server.get("/metrics")[1]
    assert 0 < server.metric("app_snapshot_age_seconds") < time.time() - began


def test_two_starts_at_once_on_one_database_both_serve(serve, tmp_path):
    servers = [serve(ready=False, empty=True) for _ in range(2)]
    for server in servers:
        server.wait_ready()
        assert "Traceback" not in server.log
    assert {p.name for p in tmp_path.glob("app.db*")} >= {"app.db", "app.db.lock"}


def test_sigterm_ends_the_boot(serve, stalling_server, wait_for):
    server = serve(ready=False, DATABASE_SNAPSHOT_URL=stalling_server)
    wait_for(lambda: boot_child(server))
    assert refused(server.port)
    server.process.send_signal(signal.SIGTERM)
    assert server.process.wait(LIMIT_SECONDS) == 143  # the answer never comes


def test_the_boot_dies_with_its_parent(serve, stalling_server, wait_for):
    server = serve(ready=False, DATABASE_SNAPSHOT_URL=stalling_server)
    (child,) = wait_for(lambda: boot_child(server))
    os.kill(server.pid, signal.SIGKILL)
    server.process.wait()
    wait_for(lambda: not Path(f"/proc/{child}").exists())


def test_a_check_says_whether_a_start_would_do(tmp_path):
    env = {**CLEAN, "APP_ENV": "test", "DATABASE_URL": f"sqlite:///{tmp_path}/none.db"}
    command = [sys.executable, "run_web.py", "--check"]
    good = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True)
    assert (good.returncode, good.stderr) == (0, "")
    assert list(tmp_path.iterdir()) == []
    bad = subprocess.run(command, cwd=ROOT, env={**env, "PORT": "x"}, capture_output=True, text=True)
    assert bad.returncode == 78
    assert "PORT" in bad.stderr


def test_a_second_start_finds_nothing_to_do(tmp_path):
    settings = Settings(app_env="test", database_url=new_database(tmp_path))
    boot(settings)
    db.open(settings)
    assert db.read(lambda conn: state.get(conn, FAILED_BOOT)) is None
    db.close()


EARLY = """
import os, signal, time
from chassis.server import start
class Early(start.multiprocessing.get_context("fork").Process):
    def start(self):
        super().start()
        os.kill(os.getpid(), signal.SIGTERM)  # before the handlers are there
start.multiprocessing.get_context("fork").Process = Early
start.run_boot(lambda: time.sleep(1000))
"""


def test_a_sigterm_right_after_the_fork_ends_the_boot_too():
    done = subprocess.run([sys.executable, "-c", EARLY], cwd=ROOT, env=CLEAN, timeout=LIMIT_SECONDS, check=False)
    assert done.returncode == 143
