"""A real server with an admin and others in it, and what they send."""

import contextlib
import json
import time
import uuid
from dataclasses import asdict
from pathlib import Path

import pytest
import socketio

from app import create_app
from chassis.db import db
from chassis.jobs import Job
from chassis.jobs.tables import jobs
from chassis.security.identity import Identity, Kind, scopes
from chassis.settings import Settings
from chassis.tests.conftest import ASYNC_MODE, Server, free_port, gunicorn, new_database, page, tool, wait_for
from chassis.tests.patience import LIMIT_SECONDS
from chassis.tests.servers import same_in_every_mode
from chassis.wiring import wiring_of

__all__ = ["page", "tool", "wait_for"]
ADMIN, READER = {"Cookie": "tester=admin"}, {"Cookie": "tester=read"}
ME = Identity("tester", "admin", "admin@example.org", scopes("admin"), session="one")
FROM_HERE = {"Sec-Fetch-Site": "same-origin"}
SHIFT = """() => new Promise((told) => {
  let sum = 0;
  const watcher = new PerformanceObserver((list) => {
    for (const one of list.getEntries()) if (!one.hadRecentInput) sum += one.value;
  });
  watcher.observe({ type: "layout-shift", buffered: true });
  requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(() => told(sum))));
})"""
"""The layout shift (CLS) of a page so far, as a script that the browser evaluates."""


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    """The application of the tests, one for all of them: none counts what others left."""
    folder = tmp_path_factory.mktemp("console")
    env = {"APP_ENV": "test", "ASYNC_MODE": ASYNC_MODE, "PORT": str(free_port()), "LOG_FORMAT": "json"}
    env |= {"DATABASE_URL": new_database(folder), "REQUIRE_CLIENT_API_KEY": "true"}
    running = Server(folder, gunicorn(Path(__file__).parent, "console_app:app"), env).wait_ready()
    yield running
    running.stop()


@pytest.fixture
def make(tmp_path):
    """Return a function that makes an application on the test's database, whose cookie `tester` is an admin's."""

    def build(**settings):
        app = create_app(Settings(app_env="test", database_url=new_database(tmp_path), **settings))
        known = lambda shown: ME if "tester=admin" in shown.environ.get("HTTP_COOKIE", "") else None  # noqa: E731
        wiring_of(app).identities["tester"] = Kind(known, lambda found: True)
        return app.test_client()

    yield build
    db.close()


@contextlib.contextmanager
def database_of(server):
    """Open the server's database as another process."""
    db.open(Settings(app_env="test", database_url=server.env["DATABASE_URL"]))
    try:
        yield db
    finally:
        db.close()


def stored(server, number, state="failed", kind="made up", payload=None):
    """Store jobs in the server's table and return their ids."""
    made = made_up(number, state, kind, payload)
    with database_of(server) as db:
        insert(db, made)
    return [job.id for job in made]


def insert(db, made):
    db.write(lambda conn: conn.execute(jobs.insert(), [asdict(job) for job in made]))


def made_up(number, state, kind, payload=None):
    """Return jobs, the newest first."""
    now = time.time()
    times = dict.fromkeys(("not_before", "queued_at", "started_at", "finished_at"), now)
    nothing = dict.fromkeys(("error", "owner", "lease_expires_at"))
    counts = {"priority": 0, "attempt": 1, "done": 0, "total": 9, "revision": 1}
    same = {"kind": kind, "state": state, "payload": payload or {}, "message": "", "cancel_requested": False}
    same |= times | nothing | counts | {"updated_at": now - 60}
    return [Job(id=uuid.uuid4().hex, created_at=now - n, **same) for n in range(number)]


def send(server, path, body, **headers):
    """Post JSON as the console's page does; return status and answer."""
    sent = {"Content-Type": "application/json", "Accept": "application/json", **FROM_HERE, **ADMIN, **headers}
    status, text = server.request("POST", path, json.dumps(body).encode(), sent)
    return status, json.loads(text)


def ask(server, path, who=ADMIN):
    status, text = server.get(path, who)
    return status, json.loads(text)


@pytest.fixture
def look(request):
    """Return a function that connects a client and remembers its ticks: `look(server, ADMIN)`."""
    clients = []

    def connect(server, who):
        client = socketio.Client(reconnection=False, request_timeout=LIMIT_SECONDS)
        client.ticks = []
        client.on("console:tick", client.ticks.append)
        client.connect(server.url, headers=dict(who), wait_timeout=LIMIT_SECONDS)  # which takes out the cookie
        clients.append(client)
        return client

    yield connect
    for client in clients:
        client.disconnect()


@pytest.fixture
def console(server, page):
    """The console's overview of an admin, alive."""
    page.context.add_cookies([{"name": "tester", "value": "admin", "url": server.url}])
    page.goto(f"{server.url}/admin")
    page.wait_for_selector("#state[data-ready=true]")
    return page


@pytest.fixture
def job_list(server, console):
    """The list of jobs of an admin, alive."""
    return opened(server, console, "jobs")


def opened(server, console, path):
    """Open another page of the console, and wait until it is alive."""
    console.goto(f"{server.url}/admin/console/{path}".rstrip("/"))
    console.wait_for_selector("#state[data-ready=true]")
    return console


def pytest_collection_modifyitems(items):
    """Leave out, where another ASYNC_MODE is tried, all but the sockets: the rest is the same in every mode."""
    for item in items:
        if "console/tests" in str(item.path) and item.path.name != "test_live.py":
            item.add_marker(same_in_every_mode)
