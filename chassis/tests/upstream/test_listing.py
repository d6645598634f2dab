"""The models that an API lists."""

import ipaddress
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from chassis.upstream import Wire, list_models


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        status, body = self.server.answer
        self.send_response(status)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


@pytest.fixture
def listed():
    """Return a function that asks an API with this answer."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    wire = Wire(f"http://127.0.0.1:{server.server_address[1]}", "", (ipaddress.ip_network("127.0.0.0/8"),))

    def ask(status, body):
        server.answer = (status, body.encode())
        return list_models(wire, 60)

    yield ask
    server.shutdown()
    server.server_close()


def test_the_names_of_models_are_listed_if_they_can_be_stored(listed):
    names = ["small", "", "x" * 300, "nul\0", "half \ud83d", 5, "large"]
    assert listed(200, json.dumps({"data": [{"id": name} for name in names]})) == (["small", "large"], "")


@pytest.mark.parametrize(
    ("status", "body", "problem"),
    [(500, "{}", "answered 500"), (200, "<html>", "cannot be read"), (200, '{"data": {}}', "cannot be read")]
    + [
        (200, body, "cannot be read")
        for body in ('{"data": 5}', '{"data": [[]]}', "[" * 100_000, f"[{'[],' * 100_000}1]", "5")
    ],
)
def test_a_bad_answer_says_what_is_wrong(listed, status, body, problem):
    models, found = listed(status, body)
    assert models == []
    assert problem in found


def test_an_api_that_cannot_be_reached_says_why():
    wire = Wire("http://localhost:9", "", (ipaddress.ip_network("10.0.0.0/8"),))
    assert "permitted networks" in list_models(wire, 60)[1]
