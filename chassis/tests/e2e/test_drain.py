"""The end of a worker under load: on SIGTERM, SIGHUP and max_requests everybody is served, and comes back."""

import os
import signal
import time
from pathlib import Path

import pytest

from chassis.tests.conftest import ASYNC_MODE, TRANSPORTS
from chassis.tests.e2e.load import call_all_along

green = pytest.mark.skipif(ASYNC_MODE == "threading", reason="threads keep gunicorn's own worker")
GRACE = "120"  # seconds; twice what the tests wait, so that who ends in time does not wait it out
SENT_ON = {"ConnectionClosedOK"}  # who came to a worker that was leaving: closed in order before it had joined
every_transport = pytest.mark.parametrize("transport", TRANSPORTS)


def gone(pid: int) -> bool:
    return not Path(f"/proc/{pid}").exists()


def logged(server, text: str) -> int:
    return server.log.count(text)


def go_on(load, wait_for) -> None:
    """Wait for some more calls."""
    before = sum(load.calls.values())
    wait_for(lambda: sum(load.calls.values()) > before + 20)


@pytest.mark.long
@green
@every_transport
def test_on_sighup_a_thousand_clients_move_over_and_no_request_fails(serve, herd, wait_for, transport):
    server = serve(SOCKET_TRANSPORT=transport, GUNICORN_GRACEFUL_TIMEOUT_SECONDS=GRACE)
    clients = herd(server, 1000)
    wait_for(lambda: clients.live == 1000)
    load, callers = call_all_along(server)
    go_on(load, wait_for)
    (old,) = server.workers()
    began = time.monotonic()
    os.kill(server.pid, signal.SIGHUP)
    wait_for(lambda: gone(old))
    left = time.monotonic() - began
    wait_for(lambda: len(clients.joined) == 2000)
    back = max(clients.joined) - began
    go_on(load, wait_for)
    load.stop()
    print(f"{transport}: gone {left:.2f} s, back {back:.2f} s, slowest {[round(c.slowest, 2) for c in callers]}")
    assert load.problems == []
    assert sum(load.calls.values()) > 40
    assert clients.failures.keys() <= SENT_ON
    assert clients.live == 1000
    assert clients.announced == 1000
    assert logged(server, '"socket_disconnect"') == 1000


@pytest.mark.long
@green
def test_on_sigterm_a_thousand_clients_are_told_and_their_handlers_run(serve, herd, wait_for):
    server = serve(GUNICORN_GRACEFUL_TIMEOUT_SECONDS=GRACE)
    clients = herd(server, 1000)
    wait_for(lambda: clients.live == 1000)
    began = time.monotonic()
    assert server.stop() == 0
    print(f"gone in {time.monotonic() - began:.2f} s")
    wait_for(lambda: clients.live == 0)
    assert clients.announced == 1000
    assert clients.codes == {1001: 1000}
    assert logged(server, '"socket_disconnect"') == 1000
    assert "Traceback" not in server.log
