"""The servers of the chat's tests: in mock mode, and with a model that a test can make misbehave."""

import pytest

from app.features.chat.tests.talks import UNHURRIED, Viewer
from chassis.tests.conftest import fake_upstream, page, serve, tool, wait_for

__all__ = ["fake_upstream", "page", "serve", "tool", "wait_for"]


@pytest.fixture
def site(shared_with):
    """A server in mock mode, for all tests of the folder."""
    return shared_with()


@pytest.fixture
def own(serve, fake_upstream):
    """Return a function that starts a server with a model and settings of the test's own: (server, upstream)."""

    def start(**env):
        upstream = fake_upstream()
        keys = {"UPSTREAM_BASE_URL": upstream.base_url, "OPENROUTER_API_KEY": "sk-local-12345678"}
        return serve(**keys, **UNHURRIED, **env), upstream

    return start


@pytest.fixture
def watch():
    """Return a function that connects a viewer of a conversation."""
    viewers = []

    def connect(server, conversation_id, **options):
        viewers.append(Viewer(server, conversation_id, **options))
        return viewers[-1]

    yield connect
    for viewer in viewers:
        viewer.disconnect()
