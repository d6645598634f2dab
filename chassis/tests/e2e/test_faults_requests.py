"""Requests while the database is locked, its disk full or read-only: 503 with the reason, and nothing is lost."""

import itertools
import secrets
import sqlite3
import subprocess
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from chassis.tests.e2e.faults import fill, made_read_only
from chassis.tests.patience import wait_until
from chassis.tests.security.conftest import ask
from chassis.tests.servers import gunicorn, new_database, same_in_every_mode

pytestmark = [pytest.mark.long, same_in_every_mode]
COMMAND = gunicorn(Path(__file__).parent, "kept_app:app")
ADMIN = secrets.token_urlsafe(48)
HEALTH = {"/health", "/health/ready", "/healthz", "/readyz"}  # which tell it
numbers = itertools.count(1)


@pytest.fixture
def site(serve):
    """Return a function that serves on a database in a folder."""

    def start(folder):
        new_database(folder)
        return serve(command=COMMAND, DATABASE_URL=f"sqlite:///{folder}/app.db", ADMIN_API_KEY=ADMIN)

    return start


class Visitor:
    """Stores things, and remembers what was accepted."""

    def __init__(self, server):
        self.server, self.accepted = server, []
        self.routes = [(m, p) for m, p in ask(server, "/api/kept/routes").json["items"] if m not in ("HEAD", "OPTIONS")]
        for _ in range(3):
            assert self.keep().status == 202
        self.pages = self.look()

    def keep(self):
        name = str(next(numbers))
        answer = ask(self.server, f"/api/kept/{name}", "POST")
        self.accepted += [name] if answer.status == 202 else []
        return answer

    def look(self):
        """Return the status of each route that is read."""
        read = [path for method, path in self.routes if method == "GET" and path not in HEALTH]
        return {path: ask(self.server, path, X_API_Key=ADMIN).status for path in read}

    def act(self):
        """Return the answers of all other routes."""
        other = [route for route in self.routes if route[0] != "GET"]
        headers = {"X_API_Key": ADMIN, "Content_Type": "application/json"}
        return {(method, path): ask(self.server, path, method, **headers) for method, path in other}

    def finds_everything(self):
        return sorted(ask(self.server, "/api/kept").json["items"]) == sorted(self.accepted)


def assert_refused(answer, words):
    assert (answer.status, answer.headers["Retry-After"]) == (503, "5"), answer.text
    assert answer.json["error"]["code"] == "database_unavailable"
    assert words in answer.json["error"]["message"]


def assert_goes_on(visitor):
    """The service recovers without help, and what it had accepted is there."""
    wait_until(lambda: ask(visitor.server, "/readyz").status == 200, "it is not ready again")
    assert visitor.keep().status == 202
    assert visitor.finds_everything()
    assert [line[:4_000] for line in visitor.server.log.splitlines() if "Traceback" in line] == []


def test_a_lock_of_another_program_is_told_within_the_patience_and_reading_goes_on(site, tmp_path):
    visitor = Visitor(site(tmp_path))
    with closing(sqlite3.connect(tmp_path / "app.db", isolation_level=None)) as other, ThreadPoolExecutor(4) as pool:
        other.execute("BEGIN IMMEDIATE")  # until all have their answer
        waiting = [pool.submit(visitor.keep) for _ in range(4)]
        assert visitor.look() == visitor.pages
        assert visitor.finds_everything()
        for one in waiting:
            assert_refused(one.result(), "it is busy")
        other.execute("ROLLBACK")
    assert_goes_on(visitor)


def test_a_full_disk_is_told_and_reading_goes_on(site, small_disk):
    visitor = Visitor(site(small_disk))
    fill(small_disk / "filler")
    wait_until(lambda: visitor.keep().status != 202, "there is still room in the log")
    for _ in range(3):
        assert_refused(visitor.keep(), "its disk is full")
    assert visitor.look() == visitor.pages
    assert visitor.finds_everything()
    (small_disk / "filler").unlink()
    assert_goes_on(visitor)


def test_a_disk_that_is_made_read_only_is_told_by_every_route_and_reading_goes_on(site, disk):
    visitor = Visitor(site(disk))
    with made_read_only(disk):
        assert_refused(visitor.keep(), "it is read-only")
        answers = visitor.act()
        assert visitor.look() == visitor.pages
        assert visitor.finds_everything()
    assert not [route for route, answer in answers.items() if answer.status == 500]
    refused = [answer for answer in answers.values() if answer.status == 503]
    assert refused
    assert all(answer.headers["Retry-After"] for answer in refused)
    assert_goes_on(visitor)


def test_a_file_system_that_gives_up_is_told_and_nothing_is_lost_with_the_next_start(site, failing_disk):
    """What the kernel does to a broken disk; no process may then write to it until it is mounted again."""
    server = site(failing_disk)
    visitor = Visitor(server)
    subprocess.run(["sync"], check=True)
    subprocess.run(["mount", "-o", "remount,abort", failing_disk], check=True)
    assert visitor.keep().status == 503
    for _ in range(3):
        assert_refused(visitor.keep(), "it")
    assert visitor.look() == visitor.pages
    assert visitor.finds_everything()
    server.stop()
    subprocess.run(["umount", failing_disk], check=True)
    subprocess.run(["mount", "-o", "loop", f"{failing_disk}.img", failing_disk], check=True)
    server.start()
    server.wait_ready()
    assert_goes_on(visitor)
