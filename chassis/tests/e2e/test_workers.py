"""Several workers, with and without Redis between them; and a runner in a process of its own."""

import contextlib
import signal
import subprocess
import sys
from pathlib import Path

from chassis.tests.conftest import ASYNC_MODE, CLEAN, ROOT, gunicorn
from chassis.tests.patience import LIMIT_SECONDS

WEBSOCKET_ONLY = {} if ASYNC_MODE == "eventlet" else {"SOCKET_TRANSPORTS": "websocket"}
STEPS_APP = Path(__file__).with_name("steps_app.py")


def test_two_workers_serve_sockets_and_count_together(serve, client, redis_url, wait_for):
    server = serve(GUNICORN_WORKERS="2", REDIS_URL=redis_url, SOCKET_TRANSPORTS="websocket")
    clients = [client(server, transports=["websocket"]) for _ in range(8)]
    assert all(one.connected for one in clients)
    wait_for(lambda: server.metric("socket_connections") == 8)
    wait_for(lambda: server.metric("app_workers") == 2)


def test_two_workers_without_redis_are_measured_as_one_service(serve, client, wait_for):
    server = serve(GUNICORN_WORKERS="2", **WEBSOCKET_ONLY)
    clients = [client(server, transports=["websocket"]) for _ in range(4)]
    wait_for(lambda: server.metric("app_workers") == 2)
    assert server.metric("app_database_writable") == 1
    assert server.metric("socket_connections") == len(clients)
    old = server.workers()
    server.process.send_signal(signal.SIGHUP)
    wait_for(lambda: not set(old) & set(server.workers()) and server.metric("app_workers") == 2)
    assert server.metric("app_database_writable") == 1


def test_two_workers_tell_each_change_of_a_job_once(serve, client, wait_for):
    command = gunicorn(STEPS_APP.parent, "steps_app:app")
    server = serve(GUNICORN_WORKERS="2", JOBS_EMBEDDED="false", command=command, **WEBSOCKET_ONLY)
    wait_for(lambda: server.metric("app_workers") == 2)
    clients = [client(server, transports=["websocket"]) for _ in range(6)]
    made = server.post("/api/steps")[1]
    for one in clients:
        one.call("job:subscribe", {"id": made["id"]})
    with working(server):
        for one in clients:
            wait_for(lambda one=one: any(e == "job:update" and d["state"] == "succeeded" for e, d in one.received))
            wait_for(lambda one=one: any(e == "steps:done" for e, *_ in one.received))
            revisions = [d["revision"] for e, d in one.received if e == "job:update"]
            assert revisions == sorted(set(revisions))


@contextlib.contextmanager
def working(server):
    """Run the jobs of a server in a process of its own."""
    command = [sys.executable, "-m", "flask", "--app", str(STEPS_APP), "jobs", "work"]
    with subprocess.Popen(command, cwd=ROOT, env={**CLEAN, **server.env}, stdout=subprocess.DEVNULL) as worker:
        try:
            yield
        finally:
            worker.terminate()
        assert worker.wait(LIMIT_SECONDS) == 0


def test_a_job_in_another_process_is_seen_live(serve, client, wait_for):
    server = serve(JOBS_EMBEDDED="false", command=gunicorn(STEPS_APP.parent, "steps_app:app"))
    one = client(server)
    made = server.post("/api/steps")[1]
    one.call("job:subscribe", {"id": made["id"]})
    with working(server):
        wait_for(lambda: any(e == "job:update" and d["state"] == "succeeded" for e, d in one.received))
        wait_for(lambda: any(e == "steps:done" for e, *_ in one.received))
