"""LOG_FILE is moved aside when it is full, by whichever of its writers notices first, and no line is lost."""

import json
import re

import pytest

from chassis.tests.chosen import lines_of_all
from chassis.tests.patience import wait_until

WRITERS, LINES, BYTES = 4, 400, 4_000


def files(log):
    """Return the files of a log, the oldest first."""
    aside = log.parent.glob(f"{log.name}.*")
    return [*sorted(aside, key=lambda path: -int(path.suffix[1:])), log]


@pytest.mark.server
def test_processes_that_write_at_the_same_time_lose_no_line(written, tmp_path):
    log = tmp_path / "app.log"
    done = written(
        f"""
import os
configure(log_format="json", log_file={str(log)!r}, log_file_max_bytes={BYTES}, log_file_keep=1000)
number = next((number for number in range({WRITERS - 1}) if not os.fork()), {WRITERS - 1})
for line in range({LINES}):
    log.info("counted", writer=number, line=line)
"""
    )
    assert not done.errors

    def found():
        lines = [json.loads(line) for path in files(log) for line in path.read_text().splitlines()]
        return [(line["writer"], line["line"]) for line in lines]

    everything = [(writer, line) for writer in range(WRITERS) for line in range(LINES)]
    wait_until(lambda: len(found()) >= len(everything))  # the parent may end first
    assert sorted(found()) == everything
    assert len(files(log)) > 1
    assert all(path.stat().st_size >= BYTES for path in files(log)[:-1])
    assert {path.stat().st_mode & 0o777 for path in files(log)} == {0o600}


def test_only_the_newest_are_kept(written, tmp_path):
    log = tmp_path / "app.log"
    written(
        f"""
configure(log_format="json", log_file={str(log)!r}, log_file_max_bytes=1000, log_file_keep=2)
for line in range(100):
    log.info("counted", line=line)
"""
    )
    assert [path.name for path in files(log)] == ["app.log.2", "app.log.1", "app.log"]
    numbers = [json.loads(line)["line"] for path in files(log) for line in path.read_text().splitlines()]
    assert numbers == list(range(numbers[0], 100))
    assert all(1000 <= path.stat().st_size < 1400 for path in files(log)[:-1])


def test_without_a_limit_another_program_may_move_or_empty_the_file(written, tmp_path):
    log = tmp_path / "app.log"
    written(
        f"""
from pathlib import Path
path = Path({str(log)!r})
configure(log_format="json", log_file=str(path), log_file_max_bytes=0)
for line in range(100):
    log.info("counted", line=line)
os.truncate(path, 0)
log.info("after copytruncate")
"""
    )
    assert [path.name for path in files(log)] == ["app.log"]
    assert [json.loads(line)["event"] for line in log.read_text().splitlines()] == ["after copytruncate"]


def test_a_file_that_something_else_moved_is_followed(written, tmp_path):
    log = tmp_path / "app.log"
    written(
        f"""
from pathlib import Path
path = Path({str(log)!r})
configure(log_format="json", log_file=str(path))
log.info("before")
path.rename(path.with_name("elsewhere"))
log.info("after")
"""
    )
    assert "before" in (tmp_path / "elsewhere").read_text()
    assert "after" in log.read_text()
    assert "before" not in log.read_text()


def test_a_file_that_cannot_be_moved_stays_in_use_and_the_log_says_why(written, tmp_path):
    log = tmp_path / "app.log"
    (tmp_path / "app.log.1/a-folder").mkdir(parents=True)
    written(
        f"""
configure(log_format="json", log_file={str(log)!r}, log_file_max_bytes=2000, log_file_keep=1)
for line in range(30):
    log.info("counted", line=line)
"""
    )
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert [line["line"] for line in lines if line["event"] == "counted"] == list(range(30))
    told = [line for line in lines if line["event"] == "log_file_not_rotated"]
    assert {line["reason"] for line in told} == {"Is a directory"}
    assert 1 <= len(told) < 5


@pytest.mark.long
def test_workers_and_master_write_to_one_file_that_is_moved_aside(serve, tmp_path):
    log = tmp_path / "app.log"
    env = {"LOG_FILE": str(log), "LOG_FILE_MAX_BYTES": "5000", "LOG_FILE_KEEP": "1000"}
    server = serve(**env, GUNICORN_WORKERS="2", SOCKET_TRANSPORTS="websocket")
    lines = lines_of_all(server, 2)
    for number in range(60):
        for name, line in zip("ab", lines, strict=True):
            line.request("GET", "/nothing", headers={"X-Request-ID": f"asked-{name}{number}-"})
            line.getresponse().read()
    assert server.stop() == 0
    text = "".join(path.read_text() for path in files(log))
    asked = re.findall(r'"asked-(\w+)-"', text)
    assert sorted(asked) == sorted(f"{name}{number}" for name in "ab" for number in range(60))
    assert len(files(log)) > 1
    assert "Shutting down: Master" in text
