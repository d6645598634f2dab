"""A pytest plugin: marks the tests that start a server, a browser or a tool; `make test-fast` leaves them out."""

import os

import pytest

STARTING = {
    *("attacked", "fast", "limits_app", "matrix", "page", "postgres_server", "redis_url", "serve", "server"),
    *("copied", "served", "shared_with", "site", "tool"),
}


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark each test to which a fixture gives one."""
    for item in items:
        if STARTING & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.server)


def refuse_in_a_fast_run(what: str) -> None:
    """Fail a test of the fast run that starts a server all the same: it, or its fixture, is to be named here."""
    if os.environ.get("TEST_FAST"):
        pytest.fail(f"{what} is started in a fast run: mark the test with `server`, or name its fixture in {__file__}")
