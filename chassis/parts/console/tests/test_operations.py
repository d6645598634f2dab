"""Schedules, backups and the maintenance mode on the console: each does what its command does, for admins alone."""

import urllib.request

import pytest

from chassis.jobs import queries
from chassis.parts.console.tests.conftest import ADMIN, READER, ask, database_of, send
from chassis.security import audit
from chassis.tests.patience import LIMIT_SECONDS

PATHS = ("schedules/cleanup/run", "backups", "backups/x/verify", "backups/x/download", "maintenance")


def ended(server, job_id):
    """Return a job that has ended, or None."""
    with database_of(server) as db:
        job = db.read(lambda conn: queries.get(conn, job_id))
    return job if job.finished_at else None


def actions(server):
    with database_of(server):
        return {(line["actor"], line["action"], line["target"]) for line in audit.listing(limit=30)}


def test_nobody_else_runs_restores_or_pauses_anything(server):
    before = ask(server, "/admin/console/backups")[1]["backups"]
    for path in PATHS:
        assert send(server, f"/admin/console/{path}", {"reason": "x"}, **READER)[0] == 403, path
        assert send(server, f"/admin/console/{path}", {"reason": "x"}, **{"Sec-Fetch-Site": "cross-site"})[0] == 403, (
            path
        )
    assert server.get("/admin/console/backups", READER)[0] == server.get("/admin/console/schedules", READER)[0] == 403
    assert ask(server, "/admin/console/backups")[1]["backups"] == before


def test_a_schedule_is_shown_and_run_now(server, wait_for):
    shown = {one["kind"]: one for one in ask(server, "/admin/console/schedules")[1]["schedules"]}
    assert shown["cleanup"]["next_at"] > "2026"
    job_id = send(server, "/admin/console/schedules/cleanup/run", {})[1]["job_id"]
    wait_for(lambda: ended(server, job_id))
    assert send(server, "/admin/console/schedules/none/run", {})[0] == 404
    assert ("admin@example.org", "schedule.run", "cleanup") in actions(server)


@pytest.mark.long
def test_a_backup_is_made_proven_and_taken_away(server, wait_for):
    job_id = send(server, "/admin/console/backups", {})[1]["job_id"]
    made = wait_for(lambda: ended(server, job_id))
    assert made.state == "succeeded", made.error
    (one,) = ask(server, "/admin/console/backups")[1]["backups"]
    assert (one["size_bytes"] > 1_000, one["proven_at"], len(one["sha256"])) == (True, None, 64)
    path = f"/admin/console/backups/{one['name']}"
    drill = send(server, f"{path}/verify", {})[1]["job_id"]
    assert wait_for(lambda: ended(server, drill)).state == "succeeded"
    assert ask(server, "/admin/console/backups")[1]["backups"][0]["proven_at"]
    assert taken(server, f"{path}/download")[:4] == b"\x28\xb5\x2f\xfd", "zstd"
    for name in ("..%2Fapp.db", "app.db", ".lock", f"{one['name']}.sha256"):
        assert send(server, f"/admin/console/backups/{name}/download", {})[0] == 404, name
        assert send(server, f"/admin/console/backups/{name}/verify", {})[0] == 404, name
    expected = {("admin@example.org", f"backup.{what}", one["name"]) for what in ("verify", "download")}
    assert actions(server) >= expected | {("admin@example.org", "backup.make", "")}


def taken(server, path):
    headers = {"Content-Type": "application/json", "Sec-Fetch-Site": "same-origin", **ADMIN}
    asked = urllib.request.Request(server.url + path, data=b"{}", headers=headers, method="POST")
    with urllib.request.urlopen(asked, timeout=LIMIT_SECONDS) as answer:
        assert "attachment" in answer.headers["Content-Disposition"]
        return answer.read()


def test_maintenance_is_turned_on_shown_and_off(server, look, wait_for):
    assert send(server, "/admin/console/maintenance", {"reason": "The disk moves."})[1] == {
        "maintenance": "The disk moves."
    }
    client = look(server, ADMIN)
    assert client.call("console:watch")["maintenance"] == "The disk moves."
    assert "The disk moves." in server.get("/api/docs", READER)[1]
    assert send(server, "/admin/console/maintenance", {"reason": ""})[1] == {"maintenance": None}
    wait_for(lambda: any("maintenance" in tick and tick["maintenance"] is None for tick in client.ticks))
    assert {what for _, what, _ in actions(server)} >= {"maintenance.on", "maintenance.off"}
