"""What an admin does on the console: for admins alone, from our own pages, and written down."""

from ipaddress import ip_network

import pytest

from chassis.db import clock, db
from chassis.errors import Forbidden
from chassis.jobs import jobs_table, queries, registry
from chassis.jobs.lines import LINES, SLACK
from chassis.parts.console import actions as of_console
from chassis.parts.console import live
from chassis.parts.console.tests.conftest import (
    ADMIN,
    FROM_HERE,
    READER,
    ask,
    database_of,
    insert,
    made_up,
    send,
    stored,
)
from chassis.realtime import access
from chassis.security import audit
from chassis.tests.described import Described


def actions(server, number):
    """Return (actor, action, target) of the last lines of the audit log, newest first."""
    with database_of(server):
        return [(line["actor"], line["action"], line["target"]) for line in audit.listing(limit=number)]


def states(server, ids):
    with database_of(server) as db:
        return {job.state for job in db.read(lambda conn: queries.by_ids(conn, ids))}


def changed(server, action, body):
    """Return how many jobs an action has changed."""
    status, told = send(server, f"/admin/console/jobs/{action}", body)
    assert status == 200, told
    return told["changed"]


def test_the_figures_are_as_described_and_for_admins_alone(server):
    api = Described(server, ADMIN)
    found = api.json("GET", "/api/admin/stats")[1]
    assert found["figures"]["memory_bytes"] is None or found["figures"]["memory_bytes"] > 1e7
    assert set(found["series"]) == set(found["figures"])
    assert Described(server, READER).ask("GET", "/api/admin/stats")[0] == 403
    assert server.get("/api/admin/stats")[0] == 401


def test_nobody_else_sees_or_does_anything(server):
    job_id = stored(server, 1)[0]
    for path in (
        "/admin/console",
        "/admin/console/presence",
        "/admin/console/figures",
        f"/admin/console/jobs/{job_id}",
    ):
        assert server.get(path)[0] == 401, path
        assert server.get(path, READER)[0] == 403, path
    for path in ("requeue", "cancel", "delete", "undo"):
        assert send(server, f"/admin/console/jobs/{path}", {"ids": [job_id]}, **READER)[0] == 403
        foreign = send(server, f"/admin/console/jobs/{path}", {"ids": [job_id]}, **{"Sec-Fetch-Site": "cross-site"})
        assert (foreign[0], foreign[1]["error"]["code"]) == (403, "csrf_failed")
    form = {"Content-Type": "application/x-www-form-urlencoded", "Sec-Fetch-Site": "same-origin", **ADMIN}
    assert server.request("POST", "/admin/console/brand", b"name=x", form)[0] == 403, "a form needs its token"
    assert states(server, [job_id]) == {"failed"}


def test_an_admin_of_another_network_is_no_admin_here(make):
    near, far = make(admin_allow=(ip_network("10.0.0.0/8"),)), {"REMOTE_ADDR": "192.0.2.1"}
    near.set_cookie("tester", "admin")
    for path in ("/admin/console", "/api/admin/stats"):
        assert near.get(path, environ_overrides={"REMOTE_ADDR": "10.1.1.1"}).status_code == 200
        assert near.get(path, environ_overrides=far).status_code == 403
    cookie = {"Cookie": "tester=admin"}
    with near.application.test_request_context("/socket.io/", headers=cookie, environ_overrides=far):
        for refused in (lambda: access.check_scope(live.watch), lambda: access.check(live.ROOM)):
            with pytest.raises(Forbidden, match="ADMIN_ALLOW"):
                refused()
    with near.application.test_request_context(headers=cookie, environ_overrides={"REMOTE_ADDR": "10.1.1.1"}):
        access.check_scope(live.watch)
        access.check(live.ROOM)


def test_jobs_are_queued_again_and_cancelled_together_and_it_is_written_down(server):
    ids = stored(server, 3)
    assert changed(server, "requeue", {"ids": [*ids, "none"]}) == 3
    assert states(server, ids) == {"queued"}
    assert send(server, "/admin/console/jobs/requeue", {"ids": ids})[0] == 409
    assert changed(server, "cancel", {"ids": ids[:1]}) == 1
    assert changed(server, "cancel", {"ids": ids}) == 2
    assert states(server, ids) == {"cancelled"}
    who = "admin@example.org"
    several, one, first = actions(server, 3)
    assert one == (who, "job.cancel", ids[0])
    assert (several[1], several[2].startswith("2 jobs: ")) == ("job.cancel", True)
    assert (first[1], first[2].startswith("3 jobs: ")) == ("job.requeue", True)
    for body in ({}, {"ids": []}, {"ids": ["x"] * 201}, {"ids": [1]}):
        assert send(server, "/admin/console/jobs/cancel", body)[0] == 400


def test_jobs_are_searched_and_all_that_match_are_changed(server):
    ids = stored(server, 30, "failed", "odd_kind", {"words": "Ibis 50%"})
    path = "/admin/console/jobs?per_page=100"
    found = ask(server, f"{path}&q=ibis+50%25&state=failed&kind=odd_kind")[1]
    assert (found["total"], {job["id"] for job in found["items"]}) == (30, set(ids))
    assert {job["title"] for job in found["items"]} == {"Odd kind"}
    assert ask(server, f"{path}&q=ibis_50")[1]["total"] == 0, "the signs of LIKE are plain characters"
    assert ask(server, f"{path}&q={ids[3][:20]}")[1]["items"][0]["id"] == ids[3]
    assert ask(server, f"{path}&owner=nobody")[1]["total"] == 0
    body = {"matching": {"q": "IBIS", "state": "failed"}, "until": found["at"]}
    stored_later = {**body, "until": found["at"] - 3_600}
    assert send(server, "/admin/console/jobs/requeue", stored_later)[0] == 409
    assert changed(server, "requeue", body) == 30
    assert states(server, ids) == {"queued"}
    assert changed(server, "cancel", {"matching": {"kind": "odd_kind"}}) == 30
    assert send(server, "/admin/console/jobs/delete", {"matching": {"kind": "odd_kind"}})[0] == 409, "a feature's"
    stored(server, 3, "failed", "talk", {"words": "to be deleted"})
    assert changed(server, "delete", {"matching": {"q": "to be deleted"}}) == 3
    assert actions(server, 1)[0][1] == "job.delete"
    for wrong in ({"matching": {}, "ids": ids[:1]}, {"matching": {"state": "odd"}}, {"matching": {"q": "x" * 201}}):
        assert send(server, "/admin/console/jobs/cancel", wrong)[0] == 400


def test_all_that_match_are_changed_in_several_requests_and_each_once(make, monkeypatch):
    monkeypatch.setattr(of_console, "AT_ONCE", 2)
    client = make()
    client.set_cookie("tester", "admin")
    insert(db, [*made_up(3, "failed", "odd_kind"), *made_up(4, "failed", "cleanup")])

    def act(action, until=0.0):
        body = {"matching": {}, "until": until}
        told = client.post(
            f"/admin/console/jobs/{action}", json=body, headers=FROM_HERE | {"Accept": "application/json"}
        )
        return told.json.get("changed", told.status_code), told.json.get("more", False)

    def become(state):
        db.write(lambda conn: conn.execute(jobs_table.update().values(state=state)))

    assert [act("delete") for _ in range(3)] == [(2, True), (2, False), (409, False)], "a feature's do not matter"
    seen = clock.now()
    assert act("requeue", seen) == (2, True)
    become("failed")
    assert act("requeue", seen) == (1, False), "those that failed again meanwhile are not queued again"
    become("running")
    assert [act("cancel") for _ in range(3)] == [(2, True), (1, False), (409, False)]


def test_a_title_that_an_old_payload_cannot_give_is_the_kind_s_name(monkeypatch):
    kind = registry.Kind("odd_kind", lambda *_: None, title=lambda payload: payload["name"])
    monkeypatch.setitem(registry._kinds, "odd_kind", kind)
    told = [registry.title("odd_kind", payload) for payload in ({"name": "Ada"}, {}, {"name": None})]
    assert told == ["Ada", "Odd kind", "Odd kind"]


def test_one_url_is_a_page_for_browsers_and_data_for_programs(server):
    job_id = stored(server, 1)[0]
    for path in ("jobs", f"jobs/{job_id}", "schedules"):
        page = server.get(f"/admin/console/{path}", {**ADMIN, "Accept": "text/html,*/*;q=0.8"})[1]
        assert 'aria-label="Console"' in page
        assert ask(server, f"/admin/console/{path}")[0] == 200
    for path in ("jobs", "upstream", "people", "settings", f"jobs/{job_id}"):
        assert server.get(f"/admin/console/{path}", READER)[0] == 403


def test_a_job_is_shown_with_what_it_logged_and_no_secret(server, wait_for):
    payload = {"words": "Bearer abcdef0123456789", "lines": 400, "api_key": "never shown"}
    job_id = stored(server, 1, kind="talk", payload=payload)[0]
    send(server, "/admin/console/jobs/requeue", {"ids": [job_id]})
    path = f"/admin/console/jobs/{job_id}"
    wait_for(lambda: ask(server, path)[1]["job"]["state"] == "succeeded")
    found = wait_for(
        lambda: (shown := ask(server, path)[1])["lines"][-1:] and "job_ended" in shown["lines"][-1] and shown
    )
    assert (found["job"]["done"], found["job"]["message"]) == (1, "half way")
    assert LINES - 10 <= len(found["lines"]) <= LINES + SLACK
    assert sum("number=" in line for line in found["lines"]) > LINES - 10
    assert job_id not in "".join(found["lines"])
    shown = server.get(path, ADMIN)[1]
    assert "never shown" not in shown
    assert found["job"]["payload"]["api_key"] == "***"
    assert server.get("/admin/console/jobs/none", ADMIN)[0] == 404
