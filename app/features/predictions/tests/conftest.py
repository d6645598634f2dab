"""The project's shared fixtures, and an outside API that all tests of a process ask."""

import threading

import pytest

from chassis.tests.conftest import fake_upstream, page, same_in_every_mode, serve, tool, wait_for
from chassis.tests.fake_upstream import FakeUpstream

__all__ = ["fake_upstream", "page", "serve", "tool", "wait_for"]


@pytest.fixture(scope="session")
def outside_api():
    """A local OpenAI-compatible server in a thread."""
    server = FakeUpstream()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def upstream(outside_api):
    """The same, which has seen nothing yet and answers at once; `latency` and `hold_after` change that."""
    outside_api.stats.reset()
    yield outside_api
    outside_api.latency = 0.0
    outside_api.release()


def pytest_collection_modifyitems(items):
    """Leave out, where another ASYNC_MODE is tried, all but the batches and their page."""
    for item in items:
        if "predictions/tests" in str(item.path) and item.path.name not in ("test_batch.py", "test_browser.py"):
            item.add_marker(same_in_every_mode)
