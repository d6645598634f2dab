"""A pytest plugin that marks the tests that start a server, a browser or a tool; `make test-fast` skips them."""

import os

import pytest

STARTING = {
    *(
        "attacked",
        "fast",
        "limits_app",
        "matrix",
        "own_postgres",
        "own_redis",
        "page",
        "pair",
        "postgres_server",
        "redis_url",
    ),
    *("copied", "guarded", "serve", "served", "server", "shared_with", "site", "tool"),
}


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark each test with a fixture that starts one."""
    for item in items:
        if STARTING & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.server)


def refuse_in_a_fast_run(what: str) -> None:
    """Fail a test of the fast run that starts a server anyway: the test, or its fixture, must be listed here."""
    if os.environ.get("TEST_FAST"):
        pytest.fail(f"{what} is started in a fast run: mark the test with `server`, or name its fixture in {__file__}")
