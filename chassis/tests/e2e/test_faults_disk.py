"""The disk breaks, or becomes read-only, under a batch: the service says so, loses nothing, and goes on when it can."""

import contextlib
import signal
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

import pytest

from chassis.tests.e2e.faults import all_done, all_rows_once, batch_of, made_read_only, refuse, start_batch
from chassis.tests.patience import wait_until
from chassis.tests.servers import new_database, same_in_every_mode

pytestmark = [pytest.mark.long, same_in_every_mode]


@pytest.fixture
def broken_sync(tool):
    """Return a context manager in which each fsync of a process fails, as on a disk that does."""
    program = tool("strace")

    @contextlib.contextmanager
    def breaking(pid):
        calls = "fsync,fdatasync"
        command = [program, "-f", "-qq", "-e", f"trace={calls}", "-e", f"inject={calls}:error=EIO", "-p", str(pid)]
        tracer = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        status = Path(f"/proc/{pid}/status")
        wait_until(lambda: tracer.poll() is not None or f"TracerPid:\t{tracer.pid}\n" in status.read_text())
        if tracer.poll() is not None:
            refuse(f"tracing is not permitted: {tracer.stderr.read()}")
        try:
            yield
        finally:
            tracer.send_signal(signal.SIGINT)
            assert "(INJECTED)" in tracer.communicate()[1]

    return breaking


def is_told(server, words):
    status, text = server.get("/readyz")
    return status == 503 and words in text


def goes_on_after(broken, words, server, wait_for):
    """Break the disk under a batch, which is told in these words, and see it go on when that is over."""
    path = start_batch(server)
    wait_for(lambda: batch_of(server, path)["done"] >= 3)
    with broken:
        wait_for(lambda: is_told(server, words))
        assert server.metric("app_database_writable") == 0
        assert server.get("/livez")[0] == 200
    wait_for(lambda: server.get("/readyz")[0] == 200)
    wait_for(lambda: all_done(server, path))
    assert all_rows_once(server, path)
    assert server.log.count('"database_not_writable"') == 1
    assert server.log.count('"database_writable_again"') == 1
    assert server.metric("app_database_writable") == 1


def test_a_disk_whose_syncs_fail_is_told_and_no_row_is_lost(serve, slow, broken_sync, tmp_path, wait_for):
    server = serve(**slow)
    goes_on_after(broken_sync(server.workers()[0]), "disk I/O error", server, wait_for)
    with closing(sqlite3.connect(tmp_path / "app.db")) as after:
        assert after.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_a_disk_that_becomes_read_only_is_told_and_the_batch_goes_on_afterwards(serve, slow, disk, wait_for):
    new_database(disk)
    server = serve(DATABASE_URL=f"sqlite:///{disk}/app.db", **slow)
    goes_on_after(made_read_only(disk), "cannot be written", server, wait_for)
