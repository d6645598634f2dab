"""Answers are compressed as the client asks, where that is worth while, and never where it would give a secret away."""

import gzip
import http.client
import json
import zlib

import pytest
from flask import Response, jsonify

from chassis.base.compression import ENCODINGS, chosen, zstd
from chassis.tests.patience import LIMIT_SECONDS

TEXT = "a line of a table, and another one\n" * 2_000


def unpacked(data: bytes, encoding: str | None) -> str:
    """Return the text of a body."""
    if encoding == "br":
        return pytest.importorskip("brotli").decompress(data).decode()
    ways = {"gzip": gzip.decompress, "zstd": zstd.decompress, None: bytes}
    return ways[encoding](data).decode()


@pytest.fixture
def client(small):
    """A client of routes that answer in every way; `closed` lists the producers that were closed."""
    small.closed = []

    def pieces():
        try:
            yield from (TEXT[at : at + 16_000] for at in range(0, len(TEXT), 16_000))
        finally:
            small.closed.append("pieces")

    routes = {
        "json": lambda: jsonify(text=TEXT),
        "little": lambda: jsonify(text="x"),
        "html": lambda: TEXT,
        "csv": lambda: Response(pieces(), content_type="text/csv; charset=utf-8"),
        "events": lambda: Response(pieces(), content_type="text/event-stream"),
        "image": lambda: Response(TEXT, content_type="image/png"),
        "secret": lambda: Response(TEXT, headers={"Cache-Control": "no-store"}),
        "packed": lambda: Response(TEXT, headers={"Content-Encoding": "identity"}),
        "part": lambda: Response(TEXT, 206, headers={"Content-Range": "bytes 0-1/3"}),
        "tagged": lambda: Response(TEXT, headers={"ETag": '"one"'}),
    }
    for name, view in routes.items():
        small.app.add_url_rule(f"/as/{name}", name, view)
    small.client.closed = small.closed
    return small.client


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("name", ["json", "html", "csv", "tagged"])
def test_a_large_answer_comes_in_the_encoding_that_was_asked_for(client, name, encoding):
    plain = client.get(f"/as/{name}")
    answer = client.get(f"/as/{name}", headers={"Accept-Encoding": encoding})
    assert answer.headers["Content-Encoding"] == encoding
    assert unpacked(answer.data, encoding) == plain.text
    assert len(answer.data) < len(plain.data) / 4
    assert answer.headers.get("Content-Length", str(len(answer.data))) == str(len(answer.data))
    for one in (plain, answer):
        assert one.headers["Vary"] == "Accept-Encoding"
    assert "Content-Encoding" not in plain.headers


@pytest.mark.parametrize("name", ["little", "events", "image", "secret", "packed", "part"])
def test_other_answers_stay_as_they_are(client, name):
    answer = client.get(f"/as/{name}", headers={"Accept-Encoding": "gzip, br, zstd"})
    assert answer.headers.get("Content-Encoding", "identity") == "identity"
    assert "Vary" not in answer.headers
    assert answer.data == client.get(f"/as/{name}").data


def test_what_another_site_asks_for_stays_as_it_is(client):
    headers = {"Accept-Encoding": "gzip", "Sec-Fetch-Site": "cross-site"}
    answer = client.get("/as/html", headers=headers)
    assert (answer.text, answer.headers["Vary"]) == (TEXT, "Accept-Encoding")
    assert "Content-Encoding" not in answer.headers


def test_a_version_of_a_compressed_answer_is_a_weak_one(client):
    assert client.get("/as/tagged").headers["ETag"] == '"one"'
    assert client.get("/as/tagged", headers={"Accept-Encoding": "gzip"}).headers["ETag"] == 'W/"one"'


def test_a_head_says_what_a_get_would(client):
    asked = {"Accept-Encoding": "gzip"}
    told, sent = client.head("/as/json", headers=asked), client.get("/as/json", headers=asked)
    for name in ("Content-Length", "Content-Encoding", "Vary", "Content-Type"):
        assert told.headers[name] == sent.headers[name]


@pytest.mark.parametrize("encoding", ["gzip", None])
def test_the_producer_of_an_answer_that_is_not_read_is_closed(client, encoding):
    answer = client.get("/as/csv", headers={"Accept-Encoding": encoding or "identity"}, buffered=False)
    next(answer.iter_encoded())
    answer.close()
    assert client.closed == ["pieces"]


@pytest.mark.parametrize(
    ("accept", "encoding"),
    [
        ("", None),
        ("gzip", "gzip"),
        ("gzip, deflate, br, zstd", "zstd"),
        ("zstd;q=0.1, gzip;q=0.5", "gzip"),
        ("zstd;q=0, gzip", "gzip"),
        ("*", "zstd"),
        ("*;q=0", None),
        ("identity", None),
        ("identity;q=1, gzip;q=0.5", None),
        ("gzip;q=nonsense", None),
        ("GZIP", "gzip"),
        ("compress", None),
    ],
)
def test_the_client_chooses(accept, encoding):
    assert chosen(accept) == encoding


def test_a_streamed_piece_can_be_read_before_the_next_is_made(small):
    made = []

    def pieces():
        for number in range(3):
            made.append(number)
            yield f"{number}\n"

    small.app.add_url_rule("/as/slow", "slow", lambda: Response(pieces(), content_type="text/plain"))
    answer = small.client.get("/as/slow", headers={"Accept-Encoding": "gzip"}, buffered=False)
    reader, parts = zlib.decompressobj(31), answer.iter_encoded()
    first = b""
    while not first:
        first = reader.decompress(next(parts))
    assert (first, made) == (b"0\n", [0])
    answer.close()


def test_a_real_server_sends_an_api_in_gzip(shared):
    one = http.client.HTTPConnection("127.0.0.1", shared.port, timeout=LIMIT_SECONDS)
    one.request("GET", "/api/openapi.json", headers={"Accept-Encoding": "gzip"})
    answer = one.getresponse()
    assert answer.headers["Content-Encoding"] == "gzip"
    assert json.loads(gzip.decompress(answer.read()))["openapi"] == "3.1.0"
    one.close()
