"""The project's shared fixtures, and an outside API that all tests of a process ask."""

import threading

import pytest

from app.features.predictions.tests.batches import keys_of
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
        if "predictions/tests" in str(item.path) and not item.path.name.startswith(("test_batch", "test_browser")):
            item.add_marker(same_in_every_mode)


@pytest.fixture
def real(shared_with, upstream):
    """A server that asks the local upstream, for all tests: each has prompts of its own, so that none is known yet."""
    settings = {"UPSTREAM_REQUESTS_PER_SECOND": "50", "UPSTREAM_MAX_RETRIES": "1"}
    return shared_with(**keys_of(upstream), **settings, DATABASE_SLOW_QUERY_SECONDS="0.000001")


@pytest.fixture
def own(serve, fake_upstream):
    """Return a function that starts a server with settings of the test's own: (server, upstream)."""

    def start(**env):
        upstream = fake_upstream()
        keys = {"UPSTREAM_BASE_URL": upstream.base_url, "OPENROUTER_API_KEY": "sk-local-12345678"}
        return serve(**keys, **env), upstream

    return start


@pytest.fixture
def slow(shared_with):
    """A server on which a batch of a hundred rows takes five seconds, and which offers WebSocket only."""
    return shared_with(UPSTREAM_REQUESTS_PER_SECOND="20", SOCKET_TRANSPORTS="websocket")
