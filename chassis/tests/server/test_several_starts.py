"""What a killed service leaves behind, and a number of workers that changes while the service runs."""

import os
import re
import signal
import time
from pathlib import Path

import pytest

from chassis.tests.conftest import ASYNC_MODE
from chassis.tests.patience import wait_until
from chassis.tests.server.several import ALL, MATRIX, Kept, echoed, one_of_each, worker_of

LONG_AGO = 3_600
pytestmark = pytest.mark.skipif(ASYNC_MODE == "threading", reason="only our own workers hand connections over")


@pytest.fixture
def several(serve, tmp_path):
    """Return a function that starts a service whose number of workers is in a file, which a reload reads again."""

    def start(number):
        counted(tmp_path, number)
        return serve(command=MATRIX, GUNICORN_WORKERS_FILE=str(tmp_path / "workers"), SOCKET_TRANSPORT="fast", **ALL)

    return start


def counted(folder, number):
    (folder / "workers").write_text(str(number))


def folders(server):
    """Return the folders that the workers of a server share."""
    maps = Path(f"/proc/{server.workers()[0]}/maps").read_text()
    return {Path(found) for found in re.findall(r"(\S+/(?:workers|metrics)-\w+)/", maps)}


def test_what_a_killed_service_leaves_is_removed_by_a_later_start(several):
    killed = several(2)
    left = folders(killed)
    assert len(left) == 2
    for pid in (killed.pid, *killed.workers()):
        os.kill(pid, signal.SIGKILL)
    killed.process.wait()
    for folder in left:
        os.utime(folder, (time.time() - LONG_AGO,) * 2)
    living = folders(several(2))
    assert not [folder for folder in left if folder.exists()]
    for folder in living:
        os.utime(folder, (time.time() - LONG_AGO,) * 2)
    several(2)
    assert all(folder.exists() for folder in living)


def test_a_service_that_ends_leaves_nothing(several):
    server = several(2)
    left = folders(server)
    server.stop()
    assert not [folder for folder in left if folder.exists()]


def test_a_reload_may_change_how_many_workers_there_are(several, tmp_path):
    server = several(2)
    for number in (4, 1, 3):
        old = set(server.workers())
        counted(tmp_path, number)
        server.process.send_signal(signal.SIGHUP)
        wait_until(lambda old=old, number=number: not old & set(server.workers()) and len(server.workers()) == number)
        wait_until(lambda number=number: server.metric("app_workers") == number)
    for sid in one_of_each(server, lambda: Kept(server).session()):
        assert f'42["echo","{sid}"]' in echoed(Kept(server), sid, sid)
    assert "limits_not_shared" not in server.log


def test_signals_add_and_remove_workers(several):
    server = several(2)
    first = {worker_of(sid) for sid in one_of_each(server)}
    server.process.send_signal(signal.SIGTTIN)
    wait_until(lambda: worker_of(Kept(server).open()) not in first)
    server.process.send_signal(signal.SIGTTOU)
    wait_until(lambda: len(server.workers()) == 2)
    for sid in one_of_each(server, lambda: Kept(server).session()):
        assert f'42["echo","{sid}"]' in echoed(Kept(server), sid, sid)


def test_one_worker_stays_one_until_the_service_starts_again(several, tmp_path):
    server = several(1)
    old = server.workers()
    counted(tmp_path, 2)
    server.process.send_signal(signal.SIGHUP)
    wait_until(lambda: server.workers() and not set(old) & set(server.workers()))
    wait_until(lambda: "the number stays at one" in server.log)
    sid = Kept(server).session()
    assert '42["echo","on"]' in echoed(Kept(server), sid, "on")
    assert len(server.workers()) == 1
