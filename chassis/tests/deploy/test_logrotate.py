"""The shipped logrotate file: a real rotation while the service writes loses no line."""

import contextlib
import gzip
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from chassis.tests.deploy.supervisord import Supervisor
from chassis.tests.named import SLUG
from chassis.tests.patience import LIMIT_SECONDS, wait_until

SHIPPED = Path(__file__).parents[3] / f"deploy/logrotate/{SLUG}"
PLACES = {
    f"/var/log/{SLUG}/": "",
    "/run/": "",
    f"/opt/{SLUG}/current/data": "data",
    f"/var/lib/{SLUG}": "lib",
}
PAUSE_SECONDS = 0.005  # between two requests


class Callers:
    """Ask for pages that do not exist, each with a request id of its own that the access log names."""

    def __init__(self, port: int) -> None:
        self.port, self.asked = port, 0
        self.stopping = threading.Event()
        self.thread = threading.Thread(target=self._call, daemon=True)
        self.thread.start()

    def _call(self) -> None:
        while not self.stopping.wait(PAUSE_SECONDS):
            url = f"http://127.0.0.1:{self.port}/nothing"
            request = urllib.request.Request(url, headers={"X-Request-ID": f"asked-{self.asked}-"})
            with contextlib.suppress(urllib.error.HTTPError):
                urllib.request.urlopen(request, timeout=LIMIT_SECONDS)
            self.asked += 1

    def go_on(self) -> None:
        """Wait for some more requests."""
        asked = self.asked
        wait_until(lambda: self.asked > asked + 50)

    def stop(self) -> None:
        self.stopping.set()
        self.thread.join(LIMIT_SECONDS)


@pytest.fixture
def rotate(tool, tmp_path):
    """A function that forces a rotation, of files that are all in the test's folder."""
    program, text = tool("logrotate"), SHIPPED.read_text()
    for place, here in PLACES.items():
        assert place in text
        text = text.replace(place, f"{tmp_path}/{here}")
    config = tmp_path / "logrotate.conf"
    config.write_text(text)
    config.chmod(0o644)
    tmp_path.chmod(0o700)
    command = [program, "--force", "--verbose", "--state", str(tmp_path / "state"), str(config)]

    def force():
        found = subprocess.run(command, capture_output=True, text=True, check=False)
        assert found.returncode == 0, found.stderr

    return force


def rotate_under_load(port, log, rotate, rotations):
    """Rotate while requests are logged; return how many there were and all that all the files hold."""
    callers, rotated_at = Callers(port), 0
    for rotation in range(rotations):
        callers.go_on()
        wait_until(lambda before=rotated_at: int(time.time()) > before)  # the old files are named after the second
        rotate()
        rotated_at = int(time.time())
        wait_until(lambda rotation=rotation: log.exists() and len(old_files(log)) == rotation + 1)
    callers.go_on()
    callers.stop()
    wait_until(lambda: f'"asked-{callers.asked - 1}-"' in log.read_text())
    return callers.asked, "".join(read(path) for path in [*old_files(log), log])


def old_files(log):
    return list(log.parent.glob(f"{log.name}-*"))


def read(path):
    return (gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()).decode()


def assert_nothing_is_lost(asked, written):
    assert [written.count(f'"asked-{number}-"') for number in range(asked)] == [1] * asked


@pytest.mark.long
def test_a_rotation_under_supervisor_loses_no_line(tool, tmp_path, rotate, wait_for):
    tool("supervisord", "supervisor")
    supervisor = Supervisor(tmp_path)
    try:
        wait_for(supervisor.answers)
        assert_nothing_is_lost(*rotate_under_load(supervisor.port, tmp_path / "service.log", rotate, 1))
    finally:
        supervisor.stop()


@pytest.mark.long
def test_a_rotation_of_a_servers_own_log_loses_no_line(tmp_path, serve, rotate):
    data = tmp_path / "data"
    data.mkdir()
    begin = f"exec {sys.executable} run_web.py --pid {data}/web.pid >>{data}/web.log 2>&1"
    server = serve(command=["/bin/sh", "-c", begin])
    assert_nothing_is_lost(*rotate_under_load(server.port, data / "web.log", rotate, 2))
    assert sorted(old_files(data / "web.log"))[0].suffix == ".gz"


@pytest.mark.long
def test_a_rotation_of_log_file_loses_no_line(tmp_path, serve, rotate):
    """Master, worker and all that log in them write to one file, and let go of the one that was moved away."""
    data = tmp_path / "data"
    data.mkdir()
    log = data / "app.log"
    begin = f"exec {sys.executable} run_web.py --pid {data}/web.pid"
    server = serve(command=["/bin/sh", "-c", begin], LOG_FILE=str(log))
    assert_nothing_is_lost(*rotate_under_load(server.port, log, rotate, 1))
    held = {str(link.readlink()) for pid in (server.pid, *server.workers()) for link in descriptors(pid)}
    assert [path for path in held if path.startswith(str(log))] == [str(log)]
    assert server.stop() == 0
    assert "Shutting down: Master" in log.read_text()
    assert not server.log


def descriptors(pid):
    return [link for link in Path(f"/proc/{pid}/fd").iterdir() if link.is_symlink()]


def test_a_rotation_signals_no_process_that_only_has_the_pid_of_a_dead_server(tmp_path, rotate):
    (tmp_path / "data").mkdir()
    (tmp_path / "data/web.log").write_text("a line\n")
    with subprocess.Popen(["sleep", "infinity"]) as innocent:
        (tmp_path / "data/web.pid").write_text(f"{innocent.pid}\n")
        rotate()
        innocent.terminate()
        assert innocent.wait() == -signal.SIGTERM, "it had got no other before"
