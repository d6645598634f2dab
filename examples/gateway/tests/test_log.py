"""The log of calls: whose calls one sees, contents, metrics, and retention."""

import re
import subprocess
import sys

from app.features.gateway import store
from chassis.tests.patience import wait_until
from chassis.tests.servers import ROOT


def new_key(client, name):
    """Return a new API key."""
    command = [sys.executable, "-m", "flask", "keys", "create", name]
    made = subprocess.run(command, cwd=ROOT, env=client.server.env, capture_output=True, text=True, check=True)
    return re.search(r"\bak_\S+", made.stdout)[0]


def test_everyone_sees_their_own_calls_and_admins_all(gateway, backends, wait_for):
    client = gateway(backends(), APP_ENV="test", REQUIRE_CLIENT_API_KEY="true")
    one, other = new_key(client, "one"), new_key(client, "other")
    body = {"model": "small", "messages": [{"role": "user", "content": "my secret"}]}
    assert client.ask("POST", "/v1/chat/completions", body, key=one)[0] == 200
    assert client.ask("POST", "/v1/chat/completions", body, key="")[0] == 401
    found = wait_for(lambda: client.calls())
    assert [(call["outcome"], call["content"]) for call in found] == [("done", None)]
    assert client.ask("GET", "/api/gateway/calls", key=one)[1]["total"] == 1
    assert client.ask("GET", "/api/gateway/calls", key=other)[1]["total"] == 0
    assert "my secret" not in client.server.log


def test_the_metrics_count_by_backend_and_outcome(gateway, backends):
    client = gateway(backends(name="one"))
    client.text()
    text = client.server.get("/metrics")[1]
    assert 'gateway_requests_total{backend="one",outcome="done"} 1.0' in text
    assert 'gateway_backend_up{backend="one"} 1.0' in text


def test_a_backend_that_was_removed_has_no_gauges(gateway, backends):
    client = gateway(GUNICORN_WORKERS="2")
    made = client.ask("POST", "/api/backends", {"name": "gone", "base_url": backends().url})[1]
    for there in (True, False):
        for gauge in ("gateway_backend_up", "gateway_in_flight"):
            line = f'{gauge}{{backend="gone"}}'
            wait_until(lambda: (line in client.server.get("/metrics")[1]) is there, f"{line} is {not there}")  # noqa: B023
        client.ask("DELETE", f"/api/backends/{made['id']}")


def test_a_persons_calls_are_deleted_or_handed_over_when_they_leave(tmp_path):
    from app import create_app
    from chassis.db import db
    from chassis.security.leaving import Departure
    from chassis.settings import Settings
    from chassis.tests.conftest import new_database
    from chassis.wiring import wiring_of

    app = create_app(Settings(app_env="test", database_url=new_database(tmp_path)))
    with app.app_context():
        db.write(lambda conn: store.add_calls(conn, [call("1", owner="ada@example.org"), call("2")]))
        found = [part.find for part in wiring_of(app).leaving]
        endings = db.read(lambda conn: [find(conn, Departure("ada@example.org")) for find in found])
        assert ("calls of models", ["1"]) in [(ending.what, ending.names) for ending in endings]
    db.close()


def call(number, *, owner="", at=0.0):
    """Return a row of the log."""
    row = {"id": number, "at": at, "owner": owner, "path": "", "model": "", "backend": "", "status": 200}
    row |= {"outcome": "done", "attempts": 1, "seconds": 0.1, "input_tokens": 0, "output_tokens": 0}
    return row
