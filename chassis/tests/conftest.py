"""Fixtures shared by several rooms: real servers on free ports with their own databases, a browser, and Redis."""

import contextlib
import os
import shutil
import signal
from pathlib import Path

import pytest

from chassis.tests.browser import page
from chassis.tests.patience import wait_until
from chassis.tests.servers import (
    ASYNC_MODE,
    CLEAN,
    ROOT,
    SERVE,
    SOCKET_TRANSPORT,
    TRANSPORTS,
    Server,
    cpu_seconds,
    free_port,
    gunicorn,
    new_database,
    same_in_every_mode,
)
from chassis.tests.services import fake_upstream, own_postgres, own_redis, postgres_server, postgres_url, redis_url

__all__ = [
    "ASYNC_MODE",
    "CLEAN",
    "ROOT",
    "SERVE",
    "TRANSPORTS",
    "Server",
    "cpu_seconds",
    "fake_upstream",
    "free_port",
    "gunicorn",
    "new_database",
    "own_postgres",
    "own_redis",
    "page",
    "postgres_server",
    "postgres_url",
    "redis_url",
    "same_in_every_mode",
]


SCHEDULES = [
    "ARTEFACTS_SCHEDULE",
    "BACKUP_DRILL_SCHEDULE",
    "BACKUP_SCHEDULE",
    "CLEANUP_SCHEDULE",
    "RETENTION_SCHEDULE",
    "SQLITE_UPKEEP_SCHEDULE",
]


@pytest.fixture(scope="session", autouse=True)
def _as_urgent_as_before():
    """Prevent commands run in this process from lowering its priority, which would slow later tests and servers."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "nice", lambda _increment: 0)
        yield


@pytest.fixture
def async_mode() -> str:
    """The ASYNC_MODE of this run."""
    return ASYNC_MODE


@contextlib.contextmanager
def serving(home: Path):
    """Yield a function that starts servers on the database in a folder; servers still running at the end are killed."""
    started: list[Server] = []

    def start(
        *,
        ready: bool = True,
        empty: bool = False,
        command: list[str] | None = None,
        folder: Path | None = None,
        **env: str,
    ) -> Server:
        own = env.keys() & {"DATABASE_URL", "DATABASE_SNAPSHOT_URL"}
        defaults = {
            "APP_ENV": "test",
            "PORT": str(free_port()),
            "DATABASE_URL": new_database(home, empty=empty or bool(own)),
            "ASYNC_MODE": ASYNC_MODE,
            "LOG_FORMAT": "json",
            "UPSTREAM_REQUESTS_PER_SECOND": "1000",
            "SOCKET_TRANSPORT": SOCKET_TRANSPORT,
            **dict.fromkeys(SCHEDULES, "off"),  # no test meets a job because of the time of the day
        }
        server = Server(folder or home, command or SERVE, defaults | env)
        started.append(server)
        return server.wait_ready() if ready else server

    try:
        yield start
    finally:
        for server in started:
            _kill(server)


def _kill(server: Server) -> None:
    if server.process.poll() is None:
        for pid in [*server.workers(), server.pid]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        server.process.wait()


@pytest.fixture
def serve(tmp_path):
    """Return a function that starts a real server: `serve(NAME="value", ...)`, by default waiting until it is ready.

    Its database exists and is migrated, unless it is to be `empty` or installed from a snapshot.
    """
    with serving(tmp_path) as start:
        yield start


@pytest.fixture(scope="session")
def tool():
    """Return a function that finds a Debian tool's path, or skips the test; under CI=true it fails instead."""

    def find(name: str, package: str | None = None) -> str:
        path = shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin:/sbin")
        if path is None:
            text = f"{name} is not installed (apt-get install {package or name})"
            if os.environ.get("CI") == "true":
                pytest.fail(text)
            pytest.skip(text)
        return path

    return find


@pytest.fixture
def wait_for():
    """The helper that waits for a condition."""
    return wait_until


def pytest_collection_modifyitems(items):
    """Start with the longest test, so that the others do not wait for it at the end."""
    items.sort(key=lambda item: "test_soak" not in item.nodeid)
