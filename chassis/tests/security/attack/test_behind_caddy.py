"""The attacks through the shipped Caddy: what it takes off the service, and what it hands through."""

import itertools
import socket
import ssl
from pathlib import Path

import pytest

from chassis.tests.conftest import ASYNC_MODE, gunicorn
from chassis.tests.deploy.caddy import caddy_before
from chassis.tests.patience import LIMIT_SECONDS, wait_until
from chassis.tests.security.conftest import rest, statuses

COMMAND = gunicorn(Path(__file__).parents[1], "bodies_app:app")
HANDSHAKE = "/socket.io/?EIO=4&transport=polling"
UNJOINED, ANSWER_SECONDS, PIECE_BYTES, BODY_BYTES = 3, 2, 16_000, 5_000
PIECES = 100_000  # 1.6 GB: the kernel's buffers before and behind Caddy may take tens of MB without anybody reading
CUT = "A client did not read its response in time"
pytestmark = pytest.mark.long
ours = pytest.mark.skipif(ASYNC_MODE == "threading", reason="the time limit is that of our own worker")
addresses = (f"127.0.1.{number}" for number in itertools.count(1))


@pytest.fixture
def site(shared_with):
    return shared_with(
        command=tuple(COMMAND),
        TRUSTED_PROXIES="127.0.0.1,::1",
        ALLOWED_HOSTS="localhost",
        HTTP_ANSWER_SECONDS=str(ANSWER_SECONDS),
        MAX_BODY_BYTES=str(BODY_BYTES),
        MAX_JSON_BYTES=str(BODY_BYTES),
        SOCKET_MAX_UNJOINED_PER_ADDRESS=str(UNJOINED),
    )


@pytest.fixture
def caddy(site, tool, tmp_path):
    with caddy_before(site, tool("caddy"), tmp_path) as one:
        yield one


def connect(caddy, source="127.0.0.1", name="localhost"):
    """Return a connection by TLS from one of this machine's addresses."""
    plain = socket.create_connection(("127.0.0.1", caddy.port), LIMIT_SECONDS, source_address=(source, 0))
    return ssl.create_default_context(cafile=caddy.verify).wrap_socket(plain, server_hostname=name)


def say(caddy, head, body=b"", **options):
    """Return what is answered to a request of that head."""
    with connect(caddy, **options) as connection:
        connection.sendall(head.replace("\n", "\r\n").encode() + b"\r\n\r\n" + body)
        return rest(connection)


def length_of_rest(connection):
    """Return how many bytes come until Caddy closes."""
    total = 0
    with connection:
        while data := connection.recv(65_536):
            total += len(data)
    return total


def get(path, host="localhost", *lines):
    return "\n".join([f"GET {path} HTTP/1.1", f"Host: {host}", "Connection: close", *lines])


def test_handshakes_are_counted_by_the_clients_address_whatever_it_claims(caddy):
    source = next(addresses)
    answers = [
        say(caddy, get(HANDSHAKE, "localhost", f"X-Forwarded-For: 203.0.113.{n}"), source=source)
        for n in range(UNJOINED + 2)
    ]
    assert [statuses(answer) for answer in answers] == [[200]] * UNJOINED + [[503]] * 2
    assert b"Retry-After" in answers[-1]
    assert statuses(say(caddy, get(HANDSHAKE), source=next(addresses))) == [200]


def test_a_body_above_the_limit_is_a_413_with_and_without_its_length(caddy):
    head = "POST /api/bodies HTTP/1.1\nHost: localhost\nContent-Type: application/json\nConnection: close\n"
    size = 4 * BODY_BYTES
    assert statuses(say(caddy, f"{head}Content-Length: {size}", b"x" * size)) == [413]
    chunk = b"%x\r\n%s\r\n0\r\n\r\n" % (size, b"x" * size)
    assert statuses(say(caddy, f"{head}Transfer-Encoding: chunked", chunk)) == [413]


def test_no_other_name_reaches_the_service(caddy):
    with pytest.raises(ssl.SSLError):
        connect(caddy, name="evil.example")
    marked = "/livez?host=evil"
    for host in ("evil.example", "localhost.evil.example"):
        assert b"X-Request-Id" not in say(caddy, get(marked, host)).title()
    assert b"X-Request-Id" in say(caddy, get(marked)).title()


@ours
def test_who_takes_nothing_is_cut_through_caddy_and_others_are_served_meanwhile(caddy):
    before, stalled = caddy.server.log.count(CUT), []
    for _ in range(10):
        stalled.append(connect(caddy))  # Caddy too has a limit for a request's head
        stalled[-1].sendall(get(f"/api/bodies/long/{PIECES}").replace("\n", "\r\n").encode() + b"\r\n\r\n")
    assert [caddy.get(caddy.origin + "/livez").status_code for _ in range(5)] == [200] * 5
    wait_until(lambda: caddy.server.log.count(CUT) >= before + len(stalled), "some are still sent to")
    assert all(length_of_rest(connection) < PIECES * PIECE_BYTES for connection in stalled)
