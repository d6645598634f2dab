"""The services that the application uses: a real outside API, Redis and PostgreSQL, run by the tests themselves."""

import contextlib
import itertools
import json
import os
import re
import socket
import subprocess
import sys
import urllib.request

import pytest

from chassis.tests import postgres
from chassis.tests.patience import LIMIT_SECONDS, wait_until
from chassis.tests.servers import CLEAN, ROOT, free_port

FAKE_UPSTREAM = [sys.executable, "-m", "chassis.tests.fake_upstream"]


@pytest.fixture
def fake_upstream(tmp_path):
    """Return a function that starts the local OpenAI-compatible server: `fake_upstream(latency=0.1)`."""
    processes = []

    def start(latency: float = 0.0):
        command = [*FAKE_UPSTREAM, "--port", "0", "--latency", str(latency)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT, env=CLEAN)
        processes.append(process)
        line = process.stdout.readline()
        url = re.search(r"http://\S+", line)[0].rstrip("/")

        class Upstream:
            base_url = url
            root = re.match(r"http://[^/]+", url)[0]

            @staticmethod
            def stats():
                with urllib.request.urlopen(f"{Upstream.root}/stats", timeout=LIMIT_SECONDS) as answer:
                    return json.load(answer)

            @staticmethod
            def refuse(status):
                """Answer every request with a status; None ends that."""
                urllib.request.urlopen(f"{Upstream.root}/refuse", json.dumps({"status": status}).encode(), 10).close()

        return Upstream

    yield start
    for process in processes:
        process.kill()
        process.wait()


@pytest.fixture
def redis_url(tool, tmp_path):
    """The URL of a Redis for this test."""
    with redis_server(tool("redis-server"), tmp_path) as url:
        yield url


@contextlib.contextmanager
def redis_server(path, folder):
    """Yield the URL of a Redis that runs in a folder."""
    port = free_port()
    command = [path, "--port", str(port), "--save", "", "--dir", str(folder), "--bind", "127.0.0.1"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:

        def answers():
            with socket.socket() as probe:
                return probe.connect_ex(("127.0.0.1", port)) == 0

        wait_until(answers)
        yield f"redis://127.0.0.1:{port}/0"
        process.kill()


class Redis:
    """A real Redis that can be stopped, killed and started again on its port."""

    def __init__(self, path, folder):
        self.port, self.process = free_port(), None
        self.command = [path, "--save", "", "--bind", "127.0.0.1", "--dir", str(folder), "--port", str(self.port)]
        self.url = f"redis://127.0.0.1:{self.port}/0"

    def start(self):
        self.process = subprocess.Popen(self.command, stdout=subprocess.DEVNULL)

        def answers():
            with socket.socket() as probe:
                return probe.connect_ex(("127.0.0.1", self.port)) == 0

        wait_until(answers)

    def kill(self):
        if self.process is not None:
            self.process.kill()
            self.process.wait()


@pytest.fixture
def own_redis(tool, tmp_path):
    """A Redis that the test starts."""
    one = Redis(tool("redis-server"), tmp_path)
    yield one
    one.kill()


@pytest.fixture(scope="session")
def postgres_server(tool):
    """The URL of a PostgreSQL server, without a database name, shared by all tests of a process."""
    tool("psql", "postgresql")
    pytest.importorskip("psycopg")
    with postgres.running() as server:
        yield server.url


@pytest.fixture
def own_postgres(tool):
    """A PostgreSQL server of this test alone, to stop and start (see chassis/tests/postgres.py)."""
    tool("psql", "postgresql")
    with postgres.running() as server:
        yield server


NUMBERS = itertools.count(1)


@pytest.fixture
def postgres_url(postgres_server):
    """The URL of an empty database for this test."""
    name = f"app{os.getpid()}_{next(NUMBERS)}"
    psql(f"{postgres_server}/postgres", f"CREATE DATABASE {name}")
    return f"{postgres_server}/{name}"


def psql(url: str, statement: str) -> str:
    """Return a statement's result as lines of values separated by bars."""
    command = ["psql", url.replace("+psycopg", ""), "-qAt", "-v", "ON_ERROR_STOP=1", "-c", statement]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
