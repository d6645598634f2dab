"""LOG_FILE on the bad day: a disk that is full, a file that cannot be opened, and who writes to it at all."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys

import pytest

from chassis.tests.conftest import CLEAN, ROOT, same_in_every_mode
from chassis.tests.patience import wait_until

SMALL_BYTES = 65_536


@pytest.fixture
def small_disk(tmp_path):
    """A file system of a few pages; mounting one takes root."""
    folder = tmp_path / "disk"
    folder.mkdir()
    options = ["-t", "tmpfs", "-o", f"size={SMALL_BYTES}", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(["mount", *options], capture_output=True, check=False).returncode:
        pytest.skip("no file system may be mounted here")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.mark.parametrize("by", ["LOG_FILE", pytest.param("standard output", marks=pytest.mark.long)])
def test_a_full_log_disk_costs_lines_and_no_request(serve, small_disk, by):
    log, other = small_disk / "app.log", small_disk / "other"
    command = ["/bin/sh", "-c", f"exec {sys.executable} -m gunicorn -c gunicorn_config.py wsgi:app >{log}"]
    server = serve(LOG_FILE=str(log)) if by == "LOG_FILE" else serve(command=command)
    fill(other)
    assert {server.get(f"/nothing-{number}")[0] for number in range(40)} == {404}
    dropped = server.metric("app_log_lines_dropped_total")
    assert 10 < dropped < 40
    other.unlink()
    server.get("/nothing", {"X-Request-ID": "well-again"})
    *_, told, last = [json.loads(line) for line in log.read_text().splitlines() if line.endswith("}")]
    assert (told["event"], told["lines"], told["level"]) == ("log_lines_dropped", dropped, "warning")
    assert last["request_id"] == "well-again"
    assert server.metric("app_log_lines_dropped_total") == dropped
    assert server.stop() == 0


def fill(path):
    """Write until nothing more fits on the disk."""
    with contextlib.suppress(OSError), path.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(1024))


@same_in_every_mode
def test_a_log_file_that_cannot_be_written_stops_the_start_with_a_sentence(tmp_path):
    env = {**CLEAN, "APP_ENV": "test", "DATABASE_URL": f"sqlite:///{tmp_path}/a.db", "LOG_FILE": "/nowhere/app.log"}
    done = subprocess.run(
        [sys.executable, "run_web.py"], cwd=ROOT, env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 78
    assert "LOG_FILE cannot be written (No such file or directory): /nowhere/app.log" in done.stderr


@pytest.mark.long
@same_in_every_mode
def test_a_start_that_fails_says_why_where_it_was_started_too(tmp_path):
    log = tmp_path / "app.log"
    (tmp_path / "broken.db").write_text("no database" * 100)
    env = {**CLEAN, "APP_ENV": "test", "DATABASE_URL": f"sqlite:///{tmp_path}/broken.db", "LOG_FILE": str(log)}
    done = subprocess.run(
        [sys.executable, "run_web.py"], cwd=ROOT, env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "cannot be used" in done.stderr
    assert "cannot be used" in log.read_text()


@pytest.mark.long
def test_flask_jobs_work_opens_its_file_anew(serve, tmp_path):
    log, moved = tmp_path / "jobs.log", tmp_path / "jobs.log.1"
    command = [sys.executable, "-m", "flask", "jobs", "work"]
    worker = serve(command=command, ready=False, LOG_FILE=str(log))
    wait_until(lambda: log.exists() and "working" in log.read_text())
    shutil.move(log, moved)
    worker.process.send_signal(signal.SIGUSR1)
    wait_until(log.exists)
    worker.process.send_signal(signal.SIGHUP)
    wait_until(lambda: "settings_read_again" in log.read_text())
    assert "settings_read_again" not in moved.read_text()
    assert worker.stop() == 0
