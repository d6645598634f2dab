"""A fake API in a separate process, and clients for it."""

import json
import os
import shutil
import ssl
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from chassis.settings import Settings
from chassis.tests.patience import LIMIT_SECONDS, wait_until
from chassis.tests.servers import ROOT
from chassis.upstream import Cancelled, UpstreamClient

TOO_LONG_SECONDS = 10 * LIMIT_SECONDS  # what takes so long does not end within a test
SCRIPT = f"from chassis.tests import fake_upstream as it; it.PATIENCE_SECONDS = {TOO_LONG_SECONDS}; it.main()"


class Fake:
    """The fake API's process, its URL and the requests it received."""

    def __init__(self, *options: str) -> None:
        command = [sys.executable, "-c", SCRIPT, "--port", "0", *options]
        self.process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout
        self.url = self.process.stdout.readline().strip()

    def stats(self) -> dict:
        anybody = ssl._create_unverified_context()
        with urllib.request.urlopen(self.url + "/stats", timeout=LIMIT_SECONDS, context=anybody) as answer:
            return json.load(answer)

    def reset(self) -> None:
        urllib.request.urlopen(urllib.request.Request(self.url + "/reset", data=b"{}"), timeout=LIMIT_SECONDS).close()

    def wait_for(self, condition: Callable[[dict], bool]) -> dict:
        """Return the statistics once they meet the condition."""
        return wait_until(lambda: condition(stats := self.stats()) and stats, "the fake API did not see it")

    def stop(self) -> None:
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


@pytest.fixture(scope="session")
def fake_process() -> Iterator[Fake]:
    fake = Fake()
    yield fake
    fake.stop()


@pytest.fixture
def fake(fake_process: Fake) -> Fake:
    fake_process.reset()
    return fake_process


@pytest.fixture
def start_fake() -> Iterator[Callable[..., Fake]]:
    started: list[Fake] = []

    def start(*options: str) -> Fake:
        started.append(Fake(*options))
        return started[-1]

    yield start
    for fake in started:
        fake.stop()


@pytest.fixture
def settings_for() -> Callable[..., Settings]:
    def settings(url: str, **changes: object) -> Settings:
        values = {
            "upstream_requests_per_second": 1000,
            "upstream_max_concurrent_requests": 50,
            "upstream_timeout_seconds": TOO_LONG_SECONDS,
            "upstream_first_part_timeout_seconds": TOO_LONG_SECONDS,
            "upstream_idle_timeout_seconds": TOO_LONG_SECONDS,
            "upstream_stream_seconds": TOO_LONG_SECONDS,
            "upstream_model": "test/model",
            **changes,
        }
        return Settings(upstream_base_url=url, **values)

    return settings


@pytest.fixture
def client_for(settings_for: Callable[..., Settings]) -> Callable[..., UpstreamClient]:
    def client(url: str, **changes: object) -> UpstreamClient:
        made = UpstreamClient()
        made.configure(settings_for(url, **changes))
        return made

    return client


@pytest.fixture
def in_threads() -> Iterator[ThreadPoolExecutor]:
    """Run calls in up to 100 threads; every call must end before its test does."""
    with ThreadPoolExecutor(100) as pool:
        yield pool


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """Create a PEM file with a key and a certificate for 127.0.0.1."""
    if not shutil.which("openssl"):
        if os.environ.get("CI") == "true":
            pytest.fail("openssl is missing")
        pytest.skip("openssl is not installed")
    key, pem = tmp_path / "key.pem", tmp_path / "both.pem"
    command = (
        "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=127.0.0.1 -addext subjectAltName=IP:127.0.0.1"
    )
    made = subprocess.run([*command.split(), "-keyout", key], capture_output=True, check=True, text=True)
    pem.write_text(key.read_text() + made.stdout)
    return pem


@pytest.fixture
def ends_when_cancelled(in_threads: ThreadPoolExecutor) -> Callable[..., None]:
    """Return a function that cancels a call once it waits in the given place; otherwise it would not end in time."""

    def check(call: Callable[[Callable[[], bool]], object], waits: Callable[[], bool]) -> None:
        flag = threading.Event()
        run = in_threads.submit(call, flag.is_set)
        try:
            wait_until(lambda: run.done() or waits())
            assert not run.done(), "it ended before it was cancelled"
        finally:
            flag.set()
        with pytest.raises(Cancelled):
            run.result(LIMIT_SECONDS)

    return check
