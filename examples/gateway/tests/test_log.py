"""The log of calls: whose calls one sees, contents, metrics, and retention."""

import re
import subprocess
import sys

from app.features.gateway import store
from app.features.gateway.tables import calls
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


def test_old_calls_are_deleted_a_few_at_a_time():
    from sqlalchemy import create_engine, select

    from chassis.db import metadata

    row = {"owner": "", "caller": "", "path": "", "model": "", "backend": "", "status": 200, "outcome": "done"}
    row |= {"streamed": False, "attempts": 1, "seconds": 0.1, "input_tokens": 0, "output_tokens": 0}
    with create_engine("sqlite://").begin() as conn:
        metadata.create_all(conn, [calls])
        store.add_calls(conn, [{**row, "id": str(at), "at": float(at)} for at in range(5)])
        assert [store.delete_calls(conn, 3.0, 2), store.delete_calls(conn, 3.0, 2)] == [2, 1]
        assert conn.execute(select(calls.c.id)).scalars().all() == ["3", "4"]
