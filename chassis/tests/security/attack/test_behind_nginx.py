"""The attacks through the shipped nginx: what it takes off the service, and what it hands through."""

import itertools
import socket

import pytest

from chassis.tests.deploy.site import nginx
from chassis.tests.patience import LIMIT_SECONDS, wait_until
from chassis.tests.security.attack.test_behind_caddy import (
    BODY_BYTES,
    COMMAND,
    HANDSHAKE,
    UNJOINED,
    get,
)
from chassis.tests.security.conftest import rest, statuses

pytestmark = pytest.mark.long
PIECES = 200  # of 16 kB
numbers = itertools.count(1)
addresses = (f"127.0.2.{number}" for number in itertools.count(1))
POST = "POST /api/bodies HTTP/1.1\nHost: localhost\nContent-Type: application/json\nConnection: close\n"
HIDDEN = b"GET /api/bodies/hidden HTTP/1.1\r\nHost: localhost\r\n\r\n"
UPGRADE = ("Upgrade: websocket", "Sec-WebSocket-Version: 13", f"Sec-WebSocket-Key: {'A' * 22}==")
WEBSOCKET = "/socket.io/?EIO=4&transport=websocket"


@pytest.fixture
def server(shared_with):
    return shared_with(
        command=tuple(COMMAND),
        TRUSTED_PROXIES="127.0.0.1",
        ALLOWED_HOSTS="localhost",
        MAX_BODY_BYTES=str(BODY_BYTES),
        MAX_JSON_BYTES=str(BODY_BYTES),
        SOCKET_MAX_UNJOINED_PER_ADDRESS=str(UNJOINED),
    )


@pytest.fixture
def site(server, tool, tmp_path):
    with nginx(tmp_path, tool, server.port) as one:
        yield one


def connect(site, source="127.0.0.1"):
    plain = socket.create_connection(("127.0.0.1", site.port), LIMIT_SECONDS, source_address=(source, 0))
    return site.context.wrap_socket(plain, server_hostname="localhost")


def say(site, head, body=b"", source="127.0.0.1"):
    """Return what is answered to a request of that head."""
    with connect(site, source) as connection:
        connection.sendall(head.strip().replace("\n", "\r\n").encode("latin-1") + b"\r\n\r\n" + body)
        return rest(connection)


def test_handshakes_are_counted_by_the_clients_address_whatever_it_claims(site):
    source = next(addresses)
    claims = ("X-Forwarded-For", "X_Forwarded_For", "X-Real-IP", "Forwarded", "x-forwarded-for")
    answers = [
        say(site, get(HANDSHAKE, "localhost", f"{claim}: for=203.0.113.{n}"), source=source)
        for n, claim in enumerate(claims)
    ]
    assert [statuses(answer) for answer in answers] == [[200]] * UNJOINED + [[503]] * 2
    assert statuses(say(site, get(HANDSHAKE), source=next(addresses))) == [200]


def test_a_body_above_the_limit_is_a_413_with_and_without_its_length(site):
    size = 4 * BODY_BYTES
    assert statuses(say(site, f"{POST}Content-Length: {size}", b"x" * size)) == [413]
    chunk = b"%x\r\n%s\r\n0\r\n\r\n" % (size, b"x" * size)
    assert statuses(say(site, f"{POST}Transfer-Encoding: chunked", chunk)) == [413]


SHAPES = {
    "a length and chunks": ("Content-Length: 6\nTransfer-Encoding: chunked", b"0\r\n\r\n"),
    "two lengths": (f"Content-Length: 2\nContent-Length: {len(HIDDEN) + 2}", b"{}"),
    "lengths in one line": ("Content-Length: 2, 2", b"{}"),
    "a length with a sign": ("Content-Length: +2", b"{}"),
    "chunks by another word": ("Transfer-Encoding: xchunked", b"0\r\n\r\n"),
    "chunks twice": ("Transfer-Encoding: chunked\nTransfer-Encoding: identity", b"0\r\n\r\n"),
    "chunks after a tab": ("Transfer-Encoding:\tchunked", b"0\r\n\r\n"),
    "a space before the colon": ("Transfer-Encoding : chunked", b"0\r\n\r\n"),
    "a folded line": ("X: y\n Transfer-Encoding: chunked", b"0\r\n\r\n"),
    "a long chunk size": ("Transfer-Encoding: chunked", b"1" + b"0" * 17 + b"\r\n"),
    "an underscore": ("Transfer_Encoding: chunked\nContent-Length: 0", b""),
    "another protocol": ("Upgrade: h2c\nHTTP2-Settings: AAMAAABk\nContent-Length: 0", b""),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_no_request_is_smuggled_to_the_service(site, server, shape):
    """A hidden request would be answered to somebody else on the connection that nginx keeps to the service."""
    lines, body = SHAPES[shape]
    say(site, f"{POST}{lines}", body + HIDDEN)
    marked = f"/api/bodies/{next(numbers)}"
    answers = [say(site, get(marked)) for _ in range(3)]
    assert [statuses(answer) for answer in answers] == [[404]] * 3
    assert marked in server.log
    assert "/api/bodies/hidden" not in server.log


@pytest.mark.parametrize(
    "path", ["/livez%0d%0aX: y", "/livez%00", "/..%2f..%2fetc/passwd", "/static/..%2f..%2fwsgi.py"]
)
def test_an_escaped_path_adds_no_header_and_leads_nowhere(site, path):
    answer = say(site, get(path))
    assert statuses(answer)[0] in (400, 404)
    assert b"\r\nX: y" not in answer


def test_a_head_that_is_too_large_is_refused_before_the_service(site):
    answer = say(site, get("/livez", "localhost", *(f"X-{number}: {'x' * 4_000}" for number in range(20))))
    assert statuses(answer) == [400]
    assert b"X-Request-Id" not in answer.title()


def test_a_body_that_does_not_come_reaches_no_worker(site, server):
    stalled = [connect(site) for _ in range(30)]
    for connection in stalled:
        connection.sendall(f"{POST}Content-Length: 100\n\n{{".replace("\n", "\r\n").encode())
    assert [statuses(say(site, get("/livez"))) for _ in range(5)] == [[200]] * 5
    assert server.get("/livez")[0] == 200
    for connection in stalled:
        connection.close()


def test_a_websocket_is_upgraded_and_nothing_else_is(site):
    def upgraded(*lines, path=WEBSOCKET):
        with connect(site, next(addresses)) as connection:
            head = "\r\n".join([f"GET {path} HTTP/1.1", f"Host: localhost:{site.port}", *lines])
            connection.sendall(head.encode() + b"\r\n\r\n")
            return connection.recv(4_096).split(b" ")[1]

    assert upgraded("Connection: Upgrade", *UPGRADE) == b"101"
    assert upgraded("Connection: Upgrade", *UPGRADE, "Origin: https://foe.example") == b"400"
    assert upgraded("Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 777") != b"101"
    assert upgraded("Connection: Upgrade", *UPGRADE, path="/livez") == b"200"


def test_who_takes_nothing_holds_up_nobody(site, server):
    """nginx takes the answer off the service, and parts with the client by its own send_timeout."""
    stalled = [connect(site, next(addresses)) for _ in range(10)]
    for connection in stalled:
        connection.sendall(get(f"/api/bodies/long/{PIECES}").replace("\n", "\r\n").encode() + b"\r\n\r\n")
    assert [statuses(say(site, get("/livez"))) for _ in range(5)] == [[200]] * 5
    wait_until(lambda: server.log.count(f"/api/bodies/long/{PIECES}") >= len(stalled), "some are still sent to")
    for connection in stalled:
        connection.close()
