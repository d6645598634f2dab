"""A pytest plugin: servers that the tests of a module share; they end with it, as an idle one costs 2 % of a core."""

import contextlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from chassis.tests.servers import Server

RUNNING: dict[tuple[tuple[str, Any], ...], "Server"] = {}  # by settings; () has the default ones, and stays
ENDS: dict[tuple[tuple[str, Any], ...], contextlib.ExitStack] = {}


@pytest.fixture(scope="session")
def shared_with(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., "Server"]:
    """Return a function that gives a running server: one for all tests of a module that ask for these settings.

    They leave it serving, and count from what they find. A test that needs an empty or a fresh one uses `serve`.
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
    """The server with the settings of `serve()` that all tests of a process share."""
    return shared_with()


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> None:
    """Stop a module's servers with its last test, and the one with the default settings with the last of all."""
    if nextitem is None or nextitem.path != item.path:
        for wanted in [wanted for wanted in ENDS if wanted or nextitem is None]:
            RUNNING.pop(wanted, None)
            ENDS.pop(wanted).close()
