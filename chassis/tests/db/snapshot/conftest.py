"""The snapshot step with short times, and the folder of the database that it fills."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from chassis.db.snapshot.fetch import SnapshotResult, fetch_snapshot

MAX_BYTES = 50_000_000


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    return folder


@pytest.fixture
def target(data: Path) -> Path:
    return data / "app.db"


@pytest.fixture
def fetch(target: Path) -> Callable[..., SnapshotResult]:
    """The step with short times; what it reports is kept in `fetch.said`."""

    def run(url: str, **options: Any) -> SnapshotResult:
        options = {"target": target, "max_bytes": MAX_BYTES, "timeout_seconds": 5, "report": run.said.append} | options
        return fetch_snapshot(url=url, **options)

    run.said = []
    return run


@pytest.fixture
def old(target: Path, make_database: Callable[..., bytes]) -> bytes:
    """A database grown here, already at the target."""
    target.write_bytes(make_database("old"))
    return target.read_bytes()
