"""The shipped supervisor program, live."""

import os
import signal

import pytest

from chassis.tests.deploy.supervisord import Supervisor
from chassis.tests.named import SLUG


@pytest.fixture
def supervise(tool, tmp_path):
    tool("supervisord", "supervisor")
    started = []

    def start(**settings):
        started.append(Supervisor(tmp_path, **settings))
        return started[-1]

    yield start
    for supervisor in started:
        if supervisor.process.poll() is None:
            supervisor.stop()


def test_the_service_comes_back_reloads_and_ends_well(supervise, wait_for):
    supervisor = supervise()
    wait_for(supervisor.answers)
    first = supervisor.master()
    os.kill(first, signal.SIGKILL)
    wait_for(lambda: supervisor.log.count("Booting worker") == 2 and supervisor.answers())
    second, left = supervisor.master(), supervisor.log.count("Worker exiting")
    supervisor.control("signal", "HUP", SLUG)
    wait_for(lambda: supervisor.log.count("Worker exiting") > left and supervisor.answers())
    assert supervisor.master() == second != first
    assert "stopped" in supervisor.control("stop", SLUG)
    assert not supervisor.answers("/livez")
    assert "(exit status 0" in (supervisor.folder / "supervisord.log").read_text()
    assert supervisor.stop() == 0


def test_wrong_settings_are_not_tried_again(supervise, wait_for):
    supervisor = supervise(SECRET_KEY="changeme")
    log = supervisor.folder / "supervisord.log"
    wait_for(lambda: log.exists() and "exited" in log.read_text())
    for _ in range(3):  # each is answered in a turn of the loop that would also start it anew
        assert "EXITED" in supervisor.control("status")
    assert log.read_text().count("exit status 78; expected") == log.read_text().count("spawned") == 1
    assert "SECRET_KEY" in supervisor.log


def test_workers_start_when_they_are_asked_for_and_end_well(supervise, wait_for):
    supervisor = supervise(JOBS_EMBEDDED="false")
    wait_for(supervisor.answers)
    assert "no worker for" in supervisor.details()["workers"]["detail"]
    assert f"{SLUG}-worker:{SLUG}-worker-0: started" in supervisor.control("start", f"{SLUG}-worker:*")
    wait_for(lambda: "workers" not in supervisor.details())
    assert "stopped" in supervisor.control("stop", f"{SLUG}-worker:*")
    assert "no worker for" in supervisor.details()["workers"]["detail"]
    assert f"stopped: {SLUG}-worker-0 (exit status 0" in (supervisor.folder / "supervisord.log").read_text()
    assert supervisor.stop() == 0
