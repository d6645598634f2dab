"""Whatever the outside API sends, one call costs no more memory and time than its limit allows, and fails alone."""

import gzip
import itertools
import socket
import threading
import time
import tracemalloc
import zlib
from collections.abc import Iterable, Iterator

import pytest

from chassis.settings import Settings
from chassis.tests.patience import LIMIT_SECONDS
from chassis.upstream import UpstreamClient, UpstreamError
from chassis.upstream.replies import PIECE_BYTES, Reply, parsed

MOST = 200_000  # UPSTREAM_MAX_RESPONSE_BYTES
BLOCK = b"x" * 65_536
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
GZIP = zlib.compressobj(9, zlib.DEFLATED, 31)
BOMB = b"".join([*(GZIP.compress(b" " * 1_000_000) for _ in range(100)), GZIP.flush()])
NO_BLOCKS = gzip.compress(b"")[:10] + b"\x00\x00\x00\xff\xff" * 10_000  # which unpack to nothing


def chunks(blocks: Iterable[bytes]) -> Iterator[bytes]:
    return (b"%x\r\n%b\r\n" % (len(block), block) for block in blocks)


ANSWERS = {
    "by its length": (b"Content-Length: 400000000\r\n\r\n", lambda: itertools.repeat(BLOCK)),
    "until the end": (b"\r\n", lambda: itertools.repeat(BLOCK)),
    "in chunks": (b"Transfer-Encoding: chunked\r\n\r\n", lambda: chunks(itertools.repeat(BLOCK))),
    "in small chunks": (b"Transfer-Encoding: chunked\r\n\r\n", lambda: itertools.repeat(b"1\r\nx\r\n" * 10_000)),
    "packed": (b"Content-Encoding: gzip\r\n\r\n", lambda: [BOMB]),
    "packed twice": (b"Content-Encoding: gzip, gzip\r\n\r\n", lambda: [gzip.compress(BOMB)]),
    "packed, in chunks": (
        b"Content-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n",
        lambda: [*chunks([BOMB]), b"0\r\n\r\n"],
    ),
    "packed nothing": (
        b"Content-Encoding: gzip\r\n\r\n",
        lambda: itertools.chain([NO_BLOCKS], itertools.repeat(NO_BLOCKS[10:])),
    ),
    "informational": (b"", lambda: itertools.repeat(b"\r\nHTTP/1.1 100 Continue\r\n" * 1_000)),
}


def read_request(connection: socket.socket) -> None:
    """Read a request to its end."""
    with connection.makefile("rb") as sent:
        head = dict(line.lower().split(b":", 1) for line in iter(sent.readline, b"\r\n") if b":" in line)
        sent.read(int(head.get(b"content-length", 0)))


@pytest.fixture
def api():
    """Return a function that makes an API which answers with a head and blocks, and returns a client for it."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve(head: bytes, blocks) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                try:
                    read_request(connection)
                    connection.sendall(head)
                    for block in blocks():
                        connection.sendall(block)
                    connection.shutdown(socket.SHUT_WR)
                    while connection.recv(65_536):  # a close with something unread would be a reset
                        pass
                except OSError:
                    continue

    def start(head: bytes, blocks) -> UpstreamClient:
        threading.Thread(target=serve, args=(head, blocks), daemon=True).start()
        client = UpstreamClient()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        limits = {"upstream_max_response_bytes": MOST, "upstream_timeout_seconds": LIMIT_SECONDS}
        client.configure(Settings(upstream_base_url=url, upstream_max_retries=0, **limits))
        return client

    yield start
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()


@pytest.mark.parametrize("name", ANSWERS)
def test_an_answer_is_read_up_to_its_limit_packed_and_unpacked(name, api):
    head, blocks = ANSWERS[name]
    client = api(HEAD + head, blocks)
    tracemalloc.start()
    try:
        with pytest.raises(UpstreamError) as raised:
            client.complete("hello")
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert raised.value.code in ("upstream_too_large", "upstream_unavailable")
    if name != "informational":
        assert raised.value.code == "upstream_too_large"
        assert f"{MOST:,} bytes" in raised.value.message
    assert not client.state()["in_flight"]
    assert peak < 3 * MOST + 20 * PIECE_BYTES


def test_of_a_large_refusal_the_status_counts(api):
    client = api(b"HTTP/1.1 500 No\r\n\r\n", lambda: itertools.repeat(BLOCK))
    with pytest.raises(UpstreamError, match=r"failed \(500\)"):
        client.complete("hello")


@pytest.mark.parametrize(
    "body",
    [
        b"[" + b"[]," * 660_000 + b"1]",
        b"[" + (b"[" * 100 + b"]" * 100 + b",") * 9_900 + b"1]",
        b"[" + b"{}," * 660_000 + b"1]",
        b'{"a": "' + b'\\"' * 900_000,
        b'"' * 2_000_000,
        b"[" * 2_000_000,
        b"[" * 30_000 + b'"' + b"\\" * 1_900_000,
    ],
)
def test_an_answer_of_many_parts_is_not_built(body):
    began = time.thread_time()
    with pytest.raises(UpstreamError, match="not JSON"):
        parsed(Reply(200, {}, body))
    assert time.thread_time() - began < 0.5


def test_brackets_in_a_text_are_no_parts():
    body = b'{"a": "' + b'[{\\"\\\\' * 30_000 + b'"}'
    assert parsed(Reply(200, {}, body))["a"].startswith('[{"\\[')
