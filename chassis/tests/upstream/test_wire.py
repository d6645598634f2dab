"""Connections that requests are passed on by: addresses, reuse, limits, cancellation."""

import ipaddress
import select
import socket
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from chassis.errors import BadRequest
from chassis.tests.patience import LIMIT_SECONDS, let_pass
from chassis.upstream import WIRE_ERRORS, Cancelled, Wire, WireLimits, check_base_url, connections, same_host
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


@contextmanager
def raw(answer, *, after=b"", every=0.0):
    """Serve one connection: the answer at once, then `after` again and again, until the client goes."""
    ended, go_on = threading.Event(), threading.Event()

    def serve(listening):
        with listening.accept()[0] as sock:
            sock.recv(65_536)
            try:
                sock.sendall(answer)
                while after and not go_on.wait(every):
                    sock.sendall(after)
                go_on.wait(LIMIT_SECONDS)
            except OSError:
                ended.set()

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=serve, args=(listening,), daemon=True)
        thread.start()
        yield Wire(f"http://127.0.0.1:{listening.getsockname()[1]}", "", HERE), ended
        go_on.set()
        thread.join(LIMIT_SECONDS)


OPEN = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


def test_an_answer_that_drips_ends_when_its_time_is_over():
    """Each piece comes before any wait for it ends, in the head as well as in the body."""
    with raw(b"HTTP/1.1 200 OK\r\n", after=b"X: 1\r\n", every=0.01) as (wire, _), pytest.raises(TimeoutError):
        ask(wire, b"x", WireLimits(0.3, 60, lambda: False))
    with raw(OPEN, after=b"1\r\nx\r\n", every=0.01) as (wire, _):
        answer = ask(wire, b"x", WireLimits(0.3, 60, lambda: False))
        with pytest.raises(TimeoutError):
            answer.read()


def test_an_answer_without_a_pause_ends_when_its_caller_goes():
    with raw(OPEN, after=b"2000\r\n" + b":\n" * 4096 + b"\r\n") as (wire, ended):
        gone = threading.Event()
        answer = ask(wire, b"x", WireLimits(60, 60, gone.is_set))
        pieces = answer.pieces()
        next(pieces)
        gone.set()
        with pytest.raises(Cancelled):
            list(pieces)
        answer.close()
        assert ended.wait(LIMIT_SECONDS)


def test_the_time_that_a_reader_takes_is_no_pause_of_the_api():
    with raw(OPEN + b"1\r\nx\r\n", after=b"1\r\nx\r\n", every=0.05) as (wire, _):
        pieces = ask(wire, b"x", WireLimits(60, 0.5, lambda: False)).pieces()
        next(pieces)
        let_pass(0.6)
        assert next(pieces)


def test_a_giant_answer_is_given_up():
    with raw(OPEN, after=b"2000\r\n" + b"x" * 8192 + b"\r\n") as (wire, ended):
        with pytest.raises(WIRE_ERRORS, match="too large"):
            ask(wire, b"x").read(100_000)
        assert ended.wait(LIMIT_SECONDS)


def test_what_an_api_sends_unasked_is_no_answer_to_the_next_request():
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n"
    with raw(answer + b"one", after=answer + b"two", every=0.05) as (wire, _):
        assert ask(wire, b"x").read() == b"one"
        assert select.select([wire._idle[0].sock], [], [], LIMIT_SECONDS)[0]
        with pytest.raises(WIRE_ERRORS):  # nobody accepts a second connection
            ask(wire, b"y", WireLimits(0.2, 0.2, lambda: False)).read()


def test_a_name_that_is_not_looked_up_in_time_fails_and_holds_up_no_other_api(server, monkeypatch):
    usual, go_on = socket.getaddrinfo, threading.Event()

    def hangs(host, *args, **options):
        if host == "slow.example":
            go_on.wait(LIMIT_SECONDS)
        return usual("127.0.0.1" if str(host).endswith(".example") else host, *args, **options)

    monkeypatch.setattr(socket, "getaddrinfo", hangs)
    monkeypatch.setattr(connections, "CONNECT_SECONDS", 0.1)
    slow, good = (Wire(f"http://{name}.example:{server.server_address[1]}", "", HERE) for name in ("slow", "good"))
    for _ in range(connections.LOOKUPS + 1):
        with pytest.raises(TimeoutError, match="looked up"):
            ask(slow, b"x")
    monkeypatch.setattr(connections, "CONNECT_SECONDS", LIMIT_SECONDS)
    assert ask(good, b"x").read() == b"x"
    go_on.set()
    assert ask(slow, b"x").read() == b"x"


def test_a_key_may_go_to_the_same_host_alone():
    url = "https://api.example/v1"
    assert same_host(url, "https://API.example:443/v2")
    assert not any(
        same_host(url, other) for other in ("http://api.example/v1", "https://api.example:8443", "https://b")
    )


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
