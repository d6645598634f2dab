"""Three workers whose clients poll all the time, while workers are reloaded, killed and stopped."""

import os
import signal

import pytest

from chassis.tests.conftest import ASYNC_MODE
from chassis.tests.patience import wait_until
from chassis.tests.server.pollers import all_go_on, polling, statuses
from chassis.tests.server.several import ALL, MATRIX
from chassis.tests.server.test_several_changes import memory_of

WORKERS, POLLERS = 3, 12
pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(ASYNC_MODE == "threading", reason="only our own workers hand connections over"),
]


@pytest.fixture
def trio(serve):
    """The matrix application with three workers."""
    server = serve(command=MATRIX, GUNICORN_WORKERS=str(WORKERS), SOCKET_TRANSPORT="fast", **ALL)
    wait_until(lambda: server.metric("app_workers") == WORKERS)
    return server


def assert_clean(server, pollers):
    """Check that nobody got what another one was sent, and that only living workers can be reached."""
    assert not sum(one.wrong for one in pollers)
    wait_until(lambda: len(server.workers()) == WORKERS and server.metric("app_workers") == WORKERS)
    wait_until(lambda: len(list(memory_of(server).glob("*.connections"))) == WORKERS, "a dead worker can be reached")


def test_reloads_reset_no_connection(trio):
    with polling(trio, POLLERS) as pollers:
        for _ in range(3):
            old = set(trio.workers())
            trio.process.send_signal(signal.SIGHUP)
            wait_until(lambda old=old: not old & set(trio.workers()), "the old workers did not end")
            all_go_on(pollers)
        assert_clean(trio, pollers)
    assert set(statuses(pollers)) <= {200, 400}
    assert not sum(one.resets for one in pollers)


def test_killed_workers_take_only_their_own_sessions_along(trio):
    with polling(trio, POLLERS) as pollers:
        for victim in trio.workers():
            os.kill(victim, signal.SIGKILL)
            wait_until(lambda victim=victim: victim not in trio.workers() and len(trio.workers()) == WORKERS)
            all_go_on(pollers)
        assert_clean(trio, pollers)
    assert set(statuses(pollers)) <= {200, 400}


def test_a_stopped_worker_holds_up_its_own_sessions_alone(trio):
    with polling(trio, POLLERS) as pollers:
        for victim in trio.workers():
            before = [one.echoes for one in pollers]
            os.kill(victim, signal.SIGSTOP)
            try:
                wait_until(lambda before=before: sum(_going(pollers, before)) >= POLLERS // 3, "all hang")
            finally:
                os.kill(victim, signal.SIGCONT)
            all_go_on(pollers)
        assert_clean(trio, pollers)
    assert set(statuses(pollers)) <= {200, 400, 503}


def _going(pollers, before):
    return [one.echoes > then + 20 for one, then in zip(pollers, before, strict=True)]
