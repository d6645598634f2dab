"""A pytest plugin for servers shared by a group's tests; they stop with it, as an idle one takes 2 % of a core."""

import contextlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from chassis.tests.suite.groups import group_of

if TYPE_CHECKING:
    from chassis.tests.servers import Server

RUNNING: dict[tuple[tuple[str, Any], ...], "Server"] = {}  # by settings
ENDS: dict[tuple[tuple[str, Any], ...], contextlib.ExitStack] = {}


@pytest.fixture(scope="session")
def shared_with(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., "Server"]:
    """Return a function that returns a running server, shared by the tests of a group (groups.py) with these settings.

    Tests leave it running, and count from its current state. A test that needs an empty or new one uses `serve`.
    """
    from chassis.tests.conftest import serving

    def give(**env: Any) -> "Server":
        wanted = tuple(sorted(env.items()))
        if wanted not in RUNNING:
            with contextlib.ExitStack() as ends:  # one that does not become ready ends at once
                start = ends.enter_context(serving(tmp_path_factory.mktemp("shared")))
                RUNNING[wanted] = start(**env)
                ENDS[wanted] = ends.pop_all()
        return RUNNING[wanted]

    return give


@pytest.fixture
def shared(shared_with: Callable[..., "Server"]) -> "Server":
    """The server with the settings of `serve()`, shared by the tests of a group."""
    return shared_with()


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> None:
    """Stop a group's servers after its last test."""
    if nextitem is None or group_of(nextitem.location[0]) != group_of(item.location[0]):
        RUNNING.clear()
        while ENDS:
            ENDS.popitem()[1].close()
