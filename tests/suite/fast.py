"""A pytest plugin: which tests start a server or a browser, so that `make test-fast` can leave them out."""

import os

import pytest

PROCESSES = {"page", "postgres_server", "redis_url", "serve", "tool"}  # fixtures that start one, or tell where it is


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark each test that a fixture gives a process."""
    for item in items:
        if PROCESSES & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.server)


def refuse_in_a_fast_run(what: str) -> None:
    """Fail a test of the fast run that starts a server all the same: it lacks the marker."""
    if os.environ.get("TEST_FAST"):
        pytest.fail(f"{what} was started in a fast run: mark the test, its module or its fixture with `server`")
