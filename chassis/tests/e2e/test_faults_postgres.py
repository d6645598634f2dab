"""PostgreSQL restarts, turns read-only or ends connections during a batch: it waits and goes on by itself."""

import json
import threading
from pathlib import Path

import pytest

from chassis.tests.chosen import at_once
from chassis.tests.e2e.faults import all_rows_once, batch_of, start_batch
from chassis.tests.named import EXAMPLE, SLUG
from chassis.tests.patience import let_pass
from chassis.tests.servers import gunicorn
from chassis.tests.services import psql

pytestmark = pytest.mark.long
ENDED = f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = '{SLUG}'"


@pytest.fixture
def served(serve, slow, own_postgres, wait_for):
    """A service on a PostgreSQL of its own, and the path of a batch that has begun."""
    server = serve(DATABASE_URL=f"{own_postgres.url}/postgres", **slow)
    path = start_batch(server)
    wait_for(lambda: batch_of(server, path)["done"] >= 3)
    return server, path


def goes_on(server, path, wait_for):
    wait_for(lambda: server.get("/readyz")[0] == 200)
    wait_for(lambda: (status := server.get(path)[1]) and json.loads(status).get("status") not in ("queued", "running"))
    batch = batch_of(server, path)
    assert (batch["status"], batch["done"], batch["failed"]) == ("succeeded", 60, 0), batch
    assert all_rows_once(server, path)


@pytest.mark.parametrize("how", ["fast", "immediate"])
def test_a_restart_makes_a_batch_wait_and_answers_503(served, own_postgres, wait_for, how):
    server, path = served
    own_postgres.stop(how)
    status, text = server.get(path)
    assert status == 503
    assert "it does not answer" in text
    assert server.post(f"/api/{EXAMPLE}", {"name": "x", "prompt": "{n}", "rows": [{"n": "1"}]})[0] == 503
    assert server.get("/livez")[0] == 200
    let_pass(4)
    own_postgres.start()
    goes_on(server, path, wait_for)
    assert "[SQL" not in server.log


def test_a_server_that_hangs_makes_a_batch_wait_and_answers_503(served, own_postgres, wait_for):
    server, path = served
    with own_postgres.frozen():
        for status, text in at_once(lambda _: server.get(path), range(20)):
            assert status == 503
            assert "it does not answer" in text
        wait_for(lambda: '"database_hangs"' in server.log)
        assert server.post(f"/api/{EXAMPLE}", {"name": "x", "prompt": "{n}", "rows": [{"n": "1"}]})[0] == 503
        assert server.get("/livez")[0] == 200
        wait_for(lambda: server.get("/readyz")[0] == 503)
    goes_on(server, path, wait_for)
    assert server.log.count('"database_hangs"') == server.log.count('"database_answers_again"') == 1


@pytest.mark.parametrize("where", ["SYSTEM", "DATABASE postgres"])
def test_a_read_only_switch_makes_a_batch_wait_and_ends_by_itself(served, own_postgres, wait_for, where):
    server, path = served
    url = f"{own_postgres.url}/postgres"

    def switch(value):
        psql(url, f"ALTER {where} SET default_transaction_read_only = {value}")
        psql(url, "SELECT pg_reload_conf()")

    switch("on")
    if where != "SYSTEM":  # which existing connections do not notice
        psql(url, ENDED)
    body = {"name": "x", "prompt": "{n}", "rows": [{"n": "1"}]}
    wait_for(lambda: server.post(f"/api/{EXAMPLE}", body)[1].get("error", {}).get("code") == "database_unavailable")
    status, told = server.post(f"/api/{EXAMPLE}", body)
    assert status == 503
    assert "it is read-only" in told["error"]["message"]
    assert batch_of(server, path)["status"] == "running"  # reading goes on
    psql(f"{url}?options=-cdefault_transaction_read_only%3Doff", f"ALTER {where} RESET default_transaction_read_only")
    psql(url, "SELECT pg_reload_conf()")
    goes_on(server, path, wait_for)


def test_connections_that_an_operator_ends_fail_nothing(served, own_postgres, wait_for):
    server, path = served
    for _ in range(5):
        before = batch_of(server, path)["done"]
        psql(f"{own_postgres.url}/postgres", ENDED)
        wait_for(lambda before=before: json.loads(server.get(path)[1]).get("done", 0) > before)
    goes_on(server, path, wait_for)


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        ({"DATABASE_POOL_SIZE": "3", "DATABASE_MAX_OVERFLOW": "0", "DATABASE_POOL_TIMEOUT_SECONDS": "0.3"}, "in use"),
        ({"DATABASE_POOL_SIZE": "120", "DATABASE_POOL_TIMEOUT_SECONDS": "30"}, "in use"),  # of 100 of the server
    ],
)
def test_too_many_requests_at_once_get_503_and_never_500(serve, own_postgres, limits, words):
    command = gunicorn(Path(__file__).parent, "pool_app:app")
    server = serve(command=command, DATABASE_URL=f"{own_postgres.url}/postgres", **limits)
    found = []
    callers = [threading.Thread(target=lambda: found.append(server.get("/api/slow/3"))) for _ in range(130)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert {status for status, _ in found} == {200, 503}, {status for status, _ in found}
    refused = [json.loads(text)["error"] for status, text in found if status == 503]
    assert all(words in error["message"] for error in refused), refused[0]
    assert server.get("/api/slow/0")[0] == 200
    assert server.metric("app_database_connections_in_use") >= 0
