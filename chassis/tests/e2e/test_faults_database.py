"""The disk fills up, somebody holds the database, the file breaks: the service says so, and goes on when it can."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from chassis.tests.e2e.faults import all_done, all_rows_once, batch_of, fill, start_batch
from chassis.tests.patience import let_pass
from chassis.tests.servers import gunicorn, new_database, same_in_every_mode

pytestmark = [pytest.mark.long, same_in_every_mode]


def test_a_disk_that_fills_up_during_a_batch_loses_no_row(serve, slow, small_disk, wait_for):
    new_database(small_disk)
    server = serve(DATABASE_URL=f"sqlite:///{small_disk}/app.db", **slow)
    path = start_batch(server)
    wait_for(lambda: batch_of(server, path)["done"] >= 3)
    fill(small_disk / "filler")
    wait_for(lambda: "cannot be written" in server.get("/readyz")[1])
    assert server.get("/readyz")[0] == 503
    assert server.get("/livez")[0] == 200
    assert server.metric("app_database_writable") == 0
    assert server.log.count('"database_not_writable"') == 1
    (small_disk / "filler").unlink()
    wait_for(lambda: server.get("/readyz")[0] == 200)
    wait_for(lambda: all_done(server, path))
    assert all_rows_once(server, path)
    assert server.metric("app_database_writable") == 1


def test_a_database_that_is_locked_for_ten_seconds_makes_a_batch_wait(serve, slow, tmp_path, wait_for):
    server = serve(**slow)
    path = start_batch(server)
    wait_for(lambda: batch_of(server, path)["done"] >= 3)
    with closing(sqlite3.connect(tmp_path / "app.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        let_pass(10)  # more than a write on the hub waits, again and again
        assert server.get("/livez")[0] == 200
        other.execute("ROLLBACK")
    wait_for(lambda: batch_of(server, path)["status"] == "succeeded")
    assert all_rows_once(server, path)


def test_a_database_that_breaks_in_the_middle_is_told_by_readiness(serve, tmp_path, wait_for):
    server = serve()
    database = tmp_path / "app.db"
    with closing(sqlite3.connect(database)) as other:
        other.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    pages = database.stat().st_size // 4096
    with database.open("r+b") as file:
        for page in range(2, pages):
            file.seek(page * 4096)
            file.write(b"\xff" * 4096)
    wait_for(lambda: server.get("/api/jobs") and "damaged" in server.get("/readyz")[1])
    assert server.get("/readyz")[0] == 503
    assert "restore" in server.get("/readyz")[1]
    assert server.get("/livez")[0] == 200


def test_a_clock_that_jumps_stops_no_batch(serve, slow, tmp_path, wait_for):
    """A day ahead, then two hours back: no lease is judged by it before its owner could renew it."""
    offset = tmp_path / "offset"
    offset.write_text("0")
    command = gunicorn(Path(__file__).parent, "clock_app:app")
    server = serve(command=command, CLOCK_OFFSET=str(offset), JOB_LEASE_SECONDS="5", **slow)
    path = start_batch(server)
    wait_for(lambda: batch_of(server, path)["done"] >= 3)
    for jump in ("86400", "-7200"):
        before = batch_of(server, path)["done"]
        offset.write_text(jump)
        wait_for(lambda before=before: batch_of(server, path)["done"] > before or all_done(server, path))
    wait_for(lambda: batch_of(server, path)["status"] == "succeeded")
    assert all_rows_once(server, path)
