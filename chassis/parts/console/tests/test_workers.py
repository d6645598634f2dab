"""The console with two workers: what the other one runs is seen live, and changed in bulk."""

from pathlib import Path

import pytest
from sqlalchemy import select

from chassis.jobs.tables import jobs
from chassis.parts.console.tests.conftest import READER, database_of, opened, stored
from chassis.tests.browser import agree
from chassis.tests.conftest import ASYNC_MODE, gunicorn, serve

__all__ = ["serve"]
pytestmark = [pytest.mark.browser, pytest.mark.long]
SHOWN = "#rows tr:not([hidden])"


@pytest.fixture
def server(serve):
    """Two workers, each of which runs one job at a time."""
    command = gunicorn(Path(__file__).parent, "console_app:app")
    both = {"GUNICORN_WORKERS": "2"} | ({"SOCKET_TRANSPORTS": "websocket"} if ASYNC_MODE == "threading" else {})
    return serve(command=command, REQUIRE_CLIENT_API_KEY="true", JOBS_CONCURRENCY="1", **both)


def running(server):
    """Return the pids of the workers that run a job, one for each job."""
    query = select(jobs.c.owner).where(jobs.c.state == "running")
    with database_of(server) as db:
        owners = db.read(lambda conn: conn.execute(query).scalars().all())
    return sorted(int(owner.split(":")[2]) for owner in owners)


def test_jobs_of_both_workers_are_seen_live_and_changed_in_bulk(server, console, wait_for):
    stored(server, 2, "interrupted", "talk", {"words": "here and there", "seconds": 600})
    console.locator("#worker >> text=one of 2").wait_for()
    opened(server, console, "jobs?kind=talk")
    wait_for(lambda: console.locator(SHOWN).count() == 2)
    console.click("#requeue-interrupted")
    agree(console)
    console.get_by_text("2 jobs were queued again.").wait_for()
    wait_for(lambda: console.locator(f"{SHOWN} >> text=running").count() == 2)
    wait_for(lambda: console.locator(f"{SHOWN} >> text=half way").count() == 2)
    assert running(server) == sorted(server.workers()), "one of them is not the console's"
    for number in range(2):
        console.locator(SHOWN).nth(number).locator(".open").click()
        console.locator("#job-state >> text=running").wait_for()
        console.locator("#timeline >> text=Attempt 1 started").wait_for()
        console.go_back()
        wait_for(lambda: console.locator(SHOWN).count() == 2)
    console.click("#states [data-state=running]")
    wait_for(lambda: console.locator(SHOWN).count() == 2)
    console.check("#choose-all")
    console.click("#cancel-chosen")
    agree(console)
    console.get_by_text("2 jobs were cancelled.").wait_for()
    wait_for(lambda: console.locator(SHOWN).count() == 0)
    console.click("#states [data-state=cancelled]")
    wait_for(lambda: console.locator(SHOWN).count() == 2)
    console.check("#choose-all")
    console.click("#requeue-chosen")
    agree(console)
    console.get_by_text("2 jobs were queued again.").wait_for()
    wait_for(lambda: running(server) == sorted(server.workers()))
    assert console.problems == []


def test_who_is_online_in_both_workers_is_shown_and_who_left_goes(server, console, look, wait_for):
    """The sockets of a reader go to either worker; the page shows all of them, wherever it is connected."""
    readers = [look(server, READER) for _ in range(6)]
    opened(server, console, "people")
    console.locator("#presence >> text=read@example.org · 6 open sockets").wait_for()
    console.locator("#presence >> text=admin@example.org · 1 open socket").wait_for()
    for reader in readers[1:]:
        reader.disconnect()
    console.locator("#presence >> text=read@example.org · 1 open socket").wait_for()
    assert console.problems == []
