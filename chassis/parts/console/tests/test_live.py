"""The console's socket: for admins alone, one event a second while somebody looks, and no query for a change."""

import time

from chassis.jobs.tables import jobs
from chassis.parts.console.tests.conftest import ADMIN, READER, database_of, send, stored


def change(db, ids):
    """Change jobs as another process would."""
    values = {"done": jobs.c.done + 1, "updated_at": time.time(), "revision": jobs.c.revision + 1}
    db.write(lambda conn: conn.execute(jobs.update().where(jobs.c.id.in_(ids)).values(**values)))


def reads(server):
    lines = server.get("/metrics")[1].splitlines()
    name = 'database_operation_duration_seconds_count{kind="read"}'
    return next(float(line.rpartition(" ")[2]) for line in lines if line.startswith(name))


def test_only_an_admin_may_look(server, look):
    refused = look(server, READER).call("console:watch")
    assert refused["error"]["code"] == "missing_scope"
    answer = look(server, ADMIN).call("console:watch")
    assert answer["ok"] is True
    assert set(answer["series"]) == set(answer["figures"])
    assert answer["checks"]["database"] == {"ok": True, "detail": "ok"}


def test_ticks_come_while_somebody_looks_and_then_no_more(server, look, wait_for):
    wait_for(lambda: server.json("/looking") is False)
    began, client, other = time.time(), look(server, ADMIN), look(server, ADMIN)
    client.call("console:watch")
    client.call("console:watch")  # as after a lost answer: still one event a second
    wait_for(lambda: len(client.ticks) >= 3)
    assert began < client.ticks[2]["figures"]["at"] <= round(time.time(), 1)
    times = [tick["figures"]["at"] for tick in client.ticks]
    assert times == sorted(set(times)), "each is new"
    assert client.ticks[0]["ready"] is True
    assert "ready" not in client.ticks[1]
    assert other.ticks == []
    assert server.json("/looking") is True
    client.disconnect()
    wait_for(lambda: server.json("/looking") is False)
    again = look(server, ADMIN)
    again.call("console:watch")
    wait_for(lambda: len(again.ticks) >= 2)


def test_changes_come_with_the_next_tick_and_cost_no_query(server, look, wait_for):
    ids = stored(server, 300)
    client = look(server, ADMIN)
    client.call("console:watch")
    wait_for(lambda: client.ticks and not client.ticks[-1]["jobs"])  # what other tests changed has been told
    with database_of(server) as db:
        before, ticks = reads(server), len(client.ticks)
        for _ in range(7):
            seen = len(client.ticks)
            change(db, ids)
            wait_for(lambda seen=seen: any(tick["jobs"] for tick in client.ticks[seen:]))
        wait_for(lambda: sum(len(tick["jobs"]) for tick in client.ticks[ticks:]) >= 300)
        spent, told = reads(server) - before, client.ticks[ticks:]
    assert max(len(tick["jobs"]) for tick in told) <= 200
    assert spent < 1_500, "2,100 changes"
    found = {job["id"] for tick in told for job in tick["jobs"]}
    assert found <= set(ids)


def test_a_job_that_changes_here_is_told_too(server, look, wait_for):
    job_id = stored(server, 1)[0]
    client = look(server, ADMIN)
    client.call("console:watch")
    wait_for(lambda: client.ticks and not client.ticks[-1]["jobs"])  # what other tests changed has been told
    assert send(server, "/admin/console/jobs/requeue", {"ids": [job_id]})[0] == 200
    wait_for(lambda: any(job["state"] == "queued" for tick in client.ticks for job in tick["jobs"]))
    send(server, "/admin/console/jobs/cancel", {"ids": [job_id]})  # other tests count those that are queued
