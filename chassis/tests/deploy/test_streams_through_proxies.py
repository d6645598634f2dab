"""A stream through the shipped proxies: each part comes at once, and the call ends with its client."""

import pytest
import requests

from chassis.tests.conftest import TRANSPORTS
from chassis.tests.deploy.caddy import caddy_before
from chassis.tests.deploy.site import nginx
from chassis.tests.patience import LIMIT_SECONDS
from chassis.tests.realtime.test_streams import GUNICORN, UNHURRIED

pytestmark = pytest.mark.server


@pytest.fixture
def fake(fake_upstream):
    return fake_upstream()


@pytest.fixture
def server(serve, fake):
    settings = {"UPSTREAM_BASE_URL": fake.base_url, "SOCKET_TRANSPORT": TRANSPORTS[0], **UNHURRIED}
    return serve(command=GUNICORN, TRUSTED_PROXIES="127.0.0.1,::1", **settings)


@pytest.fixture(params=["nginx", pytest.param("caddy", marks=pytest.mark.long)])
def session(request, server, tool, tmp_path):
    """A session of requests with the `origin` of a proxy."""
    if request.param == "caddy":
        with caddy_before(server, tool("caddy"), tmp_path) as one:
            yield one
        return
    with nginx(tmp_path / "nginx", tool, server.port) as site, requests.Session() as one:
        one.trust_env, one.verify, one.origin = False, site.certificate, site.origin
        yield one


def test_a_part_passes_at_once_and_the_call_ends_with_its_client(session, server, fake, wait_for):
    with session.get(f"{session.origin}/answers?prompt=[pause]", stream=True, timeout=LIMIT_SECONDS) as answer:
        assert "Content-Encoding" not in answer.headers
        lines = answer.iter_lines(chunk_size=1)
        found = [next(lines) for _ in range(4)]  # nothing comes after them
        assert found == [b":", b"", b"event: part", b'data: {"text": "half "}']
        assert fake.stats()["in_flight"] == 1
    session.close()
    wait_for(lambda: fake.stats()["in_flight"] == 0)
    wait_for(lambda: server.metric("app_streams") == 0)
