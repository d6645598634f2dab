"""The log lines of a job: in the database, in order, bounded, and there after the worker that wrote them."""

import time
from dataclasses import replace
from pathlib import Path
from unittest.mock import Mock

import pytest
from sqlalchemy.exc import OperationalError, StatementError

from chassis.db import db
from chassis.db.faults import too_busy
from chassis.jobs import forget, lines
from chassis.observability.job_lines import LINES, Line
from chassis.parts.console.tests.conftest import ADMIN, ask, send, stored
from chassis.settings import Settings
from chassis.tests.conftest import gunicorn, serve

__all__ = ["serve"]


def line(number, step=None):
    return Line("a" * 32, time.time(), "info", step, {"attempt": number} if step else None, f"line {number}")


def test_the_oldest_lines_go_and_the_steps_stay(make):
    make()
    db.write(lambda conn: lines.store(conn, [line(0, "job_started")]))
    for first in range(0, 3 * LINES, 100):
        db.write(lambda conn, first=first: lines.store(conn, [line(n) for n in range(first, first + 100)]))
    found = db.read(lambda conn: lines.of(conn, "a" * 32))
    assert LINES <= len(found) <= LINES + lines.SLACK + 1
    assert (found[0]["step"], found[0]["details"]) == ("job_started", {"attempt": 0})
    assert found[-1]["text"] == f"line {3 * LINES - 1}"
    assert db.write(lambda conn: lines.delete_older(conn, time.time() - 60, 500)) == 0
    assert db.write(lambda conn: lines.delete_older(conn, time.time() + 60, 500)) == len(found)


def told():
    return [one["text"] for one in db.read(lambda conn: lines.of(conn, "a" * 32))]


def test_lines_wait_for_the_database_but_those_that_it_cannot_store_hold_up_no_others(make, monkeypatch):
    make()
    writer = lines.LineWriter(Settings(app_env="test"))
    writer._kept.keep([line(1)])
    with monkeypatch.context() as busy, pytest.raises(OperationalError):
        busy.setattr(lines, "store", Mock(side_effect=too_busy()))
        writer.tick()
    writer.tick()
    assert told() == ["line 1"]
    writer._kept.keep([line(2), replace(line(3), details={"reason": object()}), line(4)])
    with pytest.raises((StatementError, TypeError)):
        writer.tick()
    writer._kept.keep([line(5)])
    writer.tick()
    assert told() == ["line 1", "line 2", "line 4", "line 5"]
    db.write(lambda conn: forget(conn, "a" * 32))
    assert told() == []


def test_lines_are_deleted_with_their_job(server, wait_for):
    job_id = stored(server, 1, kind="talk", payload={"words": "short"})[0]
    send(server, "/admin/console/jobs/requeue", {"ids": [job_id]})
    path = f"/admin/console/jobs/{job_id}"
    wait_for(lambda: "job_ended" in "".join(ask(server, path)[1]["lines"][-1:]))
    assert send(server, "/admin/console/jobs/delete", {"ids": [job_id]})[1]["changed"] == 1
    assert server.get(path, ADMIN)[0] == 404
    assert send(server, "/admin/console/jobs/delete", {"ids": [job_id]})[0] == 409


@pytest.mark.long
def test_lines_and_steps_outlive_the_worker(serve, wait_for):
    server = serve(command=gunicorn(Path(__file__).parent, "console_app:app"), REQUIRE_CLIENT_API_KEY="true")
    job_id = stored(server, 1, kind="talk", payload={"words": "before the end", "seconds": 600})[0]
    path = f"/admin/console/jobs/{job_id}"
    send(server, "/admin/console/jobs/requeue", {"ids": [job_id]})
    wait_for(lambda: "before the end" in "".join(ask(server, path)[1]["lines"]))
    server.stop()
    server.start()
    server.wait_ready()
    found = wait_for(lambda: (shown := ask(server, path)[1])["job"]["state"] == "interrupted" and shown)
    assert "before the end" in "".join(found["lines"])
    assert [step["step"] for step in found["steps"]][:1] == ["job_started"]
    assert found["steps"][-1]["details"]["state"] == "interrupted"
