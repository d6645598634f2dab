"""The end of a worker under real threads, which keep gunicorn's own worker."""

import os
import signal

import pytest

from chassis.tests.e2e.test_drain import gone
from chassis.tests.e2e.test_drain_requests import Answers, accepted, open_session
from chassis.tests.patience import LIMIT_SECONDS

pytestmark = pytest.mark.long


def test_on_sigterm_handlers_run_polls_are_answered_and_it_ends_in_time(serve, herd, wait_for):
    server, answers = serve(ASYNC_MODE="threading", GUNICORN_GRACEFUL_TIMEOUT_SECONDS="40"), Answers()
    clients = herd(server, 30)
    wait_for(lambda: clients.live == 30)
    poll = answers.ask(open_session(server))
    accepted(server)
    assert server.stop() == 0
    poll.join(LIMIT_SECONDS)
    assert answers.got[0].status_code == 200
    assert clients.announced == 30
    assert server.log.count('"socket_disconnect"') == 31
    assert [line for line in server.log.splitlines() if "Traceback" in line] == []


def test_on_sighup_clients_move_over(serve, herd, wait_for):
    server = serve(ASYNC_MODE="threading")
    clients = herd(server, 30)
    wait_for(lambda: clients.live == 30)
    (old,) = server.workers()
    os.kill(server.pid, signal.SIGHUP)
    wait_for(lambda: gone(old))
    wait_for(lambda: clients.live == 30)
    assert server.log.count('"socket_disconnect"') == 30
