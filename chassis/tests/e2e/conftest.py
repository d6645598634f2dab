"""Fixtures of the end-to-end tests: Socket.IO clients."""

import subprocess
from pathlib import Path

import pytest

from chassis.tests.conftest import gunicorn
from chassis.tests.e2e.faults import refuse
from chassis.tests.e2e.herd import Herd
from chassis.tests.ordered import OrderedClient
from chassis.tests.patience import LIMIT_SECONDS
from chassis.tests.small_disks import small_disk_at


@pytest.fixture
def client():
    """Return a function that connects a Socket.IO client: `client(server, transports=["websocket"])`."""
    opened = []

    def connect(server, **options):
        one = OrderedClient(reconnection_delay=0.2, reconnection_delay_max=0.5, request_timeout=LIMIT_SECONDS)
        one.received = []
        one.on("*", lambda event, *args: one.received.append((event, *args)))
        one.connect(server.url, wait_timeout=LIMIT_SECONDS, **options)
        opened.append(one)
        return one

    yield connect
    for one in opened:
        one.disconnect()


@pytest.fixture
def serve_slow(serve):
    """Return a function that serves drain_app.py."""
    command = gunicorn(Path(__file__).parent, "drain_app:app")

    def start(**env):
        return serve(command=command, **env)

    return start


@pytest.fixture
def herd():
    """Return a function that connects many clients: `herd(server, 100)`."""
    herds = []

    def gather(server, size, **options):
        herds.append(Herd(server, size, **options))
        return herds[-1]

    yield gather
    for one in herds:
        one.stop()


@pytest.fixture
def slow(fake_upstream):
    """The settings of a server that takes a few seconds for a batch of sixty rows."""
    url = fake_upstream(latency=0.2).base_url
    keys = {"UPSTREAM_BASE_URL": url, "OPENROUTER_API_KEY": "sk-local-12345678", "UPSTREAM_REQUESTS_PER_SECOND": "15"}
    return {**keys, "UPSTREAM_MAX_CONCURRENT_REQUESTS": "5"}


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 8 MB."""
    with small_disk_at(tmp_path / "small", "8m", refuse) as folder:
        yield folder


@pytest.fixture
def disk(tmp_path):
    """A folder that can become read-only, also for root: by a mount over it."""
    folder, read_only = tmp_path / "disk", tmp_path / "read-only"
    for path in (folder, read_only):
        path.mkdir()
    if subprocess.run(["mount", "--bind", folder, read_only], capture_output=True, check=False).returncode:
        refuse("mounting needs root")
    subprocess.run(["mount", "-o", "remount,bind,ro", read_only], check=True)
    yield folder
    subprocess.run(["umount", "--lazy", read_only], check=True)


@pytest.fixture
def failing_disk(tmp_path, tool):
    """A file system that becomes read-only as after an error of its disk: `mount -o remount,abort`."""
    image, folder = tmp_path / "failing.img", tmp_path / "failing"
    folder.mkdir()
    with image.open("wb") as file:
        file.truncate(16_000_000)
    subprocess.run([tool("mkfs.ext4", "e2fsprogs"), "-q", "-F", image], check=True)
    if subprocess.run(["mount", "-o", "loop", image, folder], capture_output=True, check=False).returncode:
        refuse("mounting an image needs root and loop devices")
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)
