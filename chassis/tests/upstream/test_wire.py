"""Connections that requests are passed on by: addresses, reuse, limits, cancellation."""

import ipaddress
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from chassis.errors import BadRequest
from chassis.tests.patience import LIMIT_SECONDS
from chassis.upstream import WIRE_ERRORS, Cancelled, Wire, WireLimits, check_base_url
from chassis.upstream.places import permitted

HERE = (ipaddress.ip_network("127.0.0.0/8"),)
EVERYWHERE = (ipaddress.ip_network("0.0.0.0/0"), ipaddress.ip_network("::/0"))


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        self.server.seen.append((self.client_address[1], self.headers["Authorization"], self.headers["Host"]))
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if body == b"wait":
            self.server.hold.wait(LIMIT_SECONDS)
        self.send_response(302 if body == b"redirect" else 200)
        self.send_header("Content-Length", str(len(body) + (body == b"short")))
        self.end_headers()
        self.wfile.write(body)
        self.close_connection = body in (b"close", b"short")

    def log_message(self, *args):
        pass


@pytest.fixture
def server():
    """A server that sends each body back."""
    made = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made.daemon_threads, made.seen, made.hold = True, [], threading.Event()
    threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    yield made
    made.hold.set()
    made.shutdown()
    made.server_close()


@pytest.fixture
def wire(server):
    return Wire(f"http://127.0.0.1:{server.server_address[1]}/v1", "sk-key", HERE)


def ask(wire, body, limits=None):
    return wire.ask("POST", "/echo", {}, body, limits or WireLimits(60, 60, lambda: False))


def test_a_connection_is_kept_and_a_closed_one_replaced(server, wire):
    assert [ask(wire, body).read() for body in (b"one", b"two", b"close", b"three")] == [
        b"one",
        b"two",
        b"close",
        b"three",
    ]
    first, second, third, fourth = server.seen
    assert first == second == third
    assert first[0] != fourth[0]
    assert first[1] == "Bearer sk-key"


def test_redirects_are_answers_like_others(wire):
    assert ask(wire, b"redirect").status == 302


def test_a_short_answer_is_an_error(wire):
    with pytest.raises(WIRE_ERRORS):
        ask(wire, b"short").read()


def test_a_call_ends_when_it_is_cancelled_or_out_of_time(wire):
    with pytest.raises(Cancelled):
        ask(wire, b"wait", WireLimits(60, 60, lambda: True))
    with pytest.raises(TimeoutError):
        ask(wire, b"wait", WireLimits(0.1, 60, lambda: False))


def test_a_call_ends_when_it_is_cancelled_while_its_body_is_sent(server, wire):
    looks = iter([False, True])
    with pytest.raises(Cancelled):
        ask(wire, b"x" * 1_000_000, WireLimits(60, 60, lambda: next(looks)))
    assert ask(wire, b"one").read() == b"one"


def test_only_permitted_addresses_are_connected_to(server):
    wire = Wire(f"http://localhost:{server.server_address[1]}", "", (ipaddress.ip_network("10.0.0.0/8"),))
    with pytest.raises(OSError, match="permitted networks"):
        ask(wire, b"one")
    assert server.seen == []


@pytest.mark.parametrize(
    "address",
    [
        "169.254.169.254",
        "::ffff:169.254.169.254",
        "fd00:ec2::254",
        "168.63.129.16",
        "0.0.0.0",
        "224.0.0.1",
        "64:ff9b::1",
    ],
)
def test_special_addresses_need_a_network_of_their_own(address):
    assert not permitted(address, EVERYWHERE)


def test_a_special_network_that_is_listed_is_permitted():
    assert permitted("169.254.7.1", (ipaddress.ip_network("169.254.7.0/24"),))
    assert permitted("8.8.8.8", EVERYWHERE)
    assert not permitted("nonsense", EVERYWHERE)


@pytest.mark.parametrize("url", ["ftp://h", "http://", "http://u:p@h", "http://h?q", "http://h:port", "http://8.8.8.8"])
def test_wrong_base_urls_are_refused(url):
    with pytest.raises(BadRequest):
        check_base_url(url, HERE)
