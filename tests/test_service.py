"""The service as a whole; a feature's own tests lie in its folder."""

from app import service
from chassis.tests.conftest import serve

__all__ = ["serve"]


def test_the_service_starts_and_says_what_it_is(serve):
    server = serve()
    assert server.json("/healthz")["version"] == service.version
    assert service.name in server.get("/", {"Accept": "text/html"})[1]
