"""What a body without end, or with fields without end, costs: little, since nothing is read past a limit."""

import gc
import io
import time
from urllib.parse import parse_qsl

import pytest
from pydantic import SecretStr

from app import create_app
from chassis.security import bodies
from chassis.security.guard import public
from chassis.settings import Settings

MOST = 65_536
LARGE = 15_000_000
CEILING_SECONDS = 0.05  # of processor time, what chassis/docs/security.md promises
FORM, FILES, JSON, TEXT = bodies.FORM, "multipart/form-data; boundary=b", bodies.JSON, "text/plain"
PAIR = b"a=1&"
PART = b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n'
FILE = b'--b\r\nContent-Disposition: form-data; name="a"; filename="f"\r\n\r\n1\r\n'


class Body(io.RawIOBase):
    """What a client sends, and how much of it was read."""

    def __init__(self, repeated: bytes, length: int) -> None:
        self.repeated, self.left, self.read_bytes = repeated, length, 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer) -> int:
        size = min(len(buffer), self.left)
        buffer[:size] = (self.repeated * (size // len(self.repeated) + 1))[:size]
        self.left -= size
        self.read_bytes += size
        return size


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    """The application with a page that reads forms, and a route that takes more."""
    folder = tmp_path_factory.mktemp("bodies")
    app = create_app(Settings(app_env="test", database_url=SecretStr(f"sqlite:///{folder}/app.db")))
    app.add_url_rule("/page", "page", public(lambda: read_form()), methods=["POST"])
    app.add_url_rule("/api/form", "form", public(lambda: read_form()), methods=["POST"])
    large = bodies.takes({bodies.FILES: 500_000, bodies.FORM: 100_000, bodies.JSON: "max_json_bytes"}, fields=200)
    app.add_url_rule("/api/large", "large", large(public(lambda: read_form())), methods=["POST"])
    return app.test_client()


def read_form() -> dict:
    from flask import request

    if request.mimetype in (JSON, TEXT):
        return {"size": len(request.get_data())}
    return {"fields": len(request.form), "files": len(request.files)}


def send(client, path, kind, body, *, chunked=False):
    """Return the answer and the seconds of processor time that it took."""
    length = {"HTTP_TRANSFER_ENCODING": "chunked", "wsgi.input_terminated": True}
    environ = length if chunked else {"CONTENT_LENGTH": str(body.left)}
    environ = {"wsgi.input": body, "CONTENT_TYPE": kind, **environ}
    began = time.thread_time()
    answer = client.post(path, environ_overrides=environ)
    return answer, time.thread_time() - began


@pytest.fixture(scope="module", autouse=True)
def _warm(client):
    for kind in (FORM, FILES, JSON):
        send(client, "/api/form", kind, Body(b"a", 10))
    gc.collect()
    gc.freeze()  # as the service does: what the tests have loaded is not looked through
    yield
    gc.unfreeze()


@pytest.mark.parametrize("path", ["/page", "/api/form", "/nothing"])
@pytest.mark.parametrize("kind", [FORM, FILES, JSON, TEXT, "application/x", ""])
def test_a_length_over_the_limit_is_refused_unread(client, path, kind):
    body = Body(PAIR, LARGE)
    answer, seconds = send(client, path, kind, body)
    assert answer.status_code == 413
    assert body.read_bytes == 0
    assert seconds < CEILING_SECONDS


@pytest.mark.parametrize("path", ["/page", "/api/form"])
@pytest.mark.parametrize("kind", [FORM, FILES])
def test_chunks_are_read_up_to_the_limit(client, path, kind):
    client.set_cookie("csrf", "0" * 32)  # the form is looked into for its token
    body = Body(PAIR if kind == FORM else PART, LARGE)
    answer, seconds = send(client, path, kind, body, chunked=True)
    assert answer.status_code in (403, 413)
    assert body.read_bytes <= MOST + 1
    assert seconds < CEILING_SECONDS
    client.delete_cookie("csrf")


def test_a_form_of_a_visitor_without_a_cookie_is_not_read_for_its_token(client):
    body = Body(PAIR, 40_000)
    assert send(client, "/page", FORM, body)[0].status_code == 403
    assert body.read_bytes == 0


@pytest.mark.parametrize(
    ("kind", "repeated"), [(FORM, PAIR), (FORM, b"&"), (FORM, b"%41&"), (FILES, PART), (FILES, FILE)]
)
def test_fields_are_counted(client, kind, repeated):
    answer, seconds = send(client, "/api/form", kind, Body(repeated, 60_000))
    assert answer.status_code == 413
    assert seconds < CEILING_SECONDS


@pytest.mark.parametrize(
    "repeated",
    [b"%41", b"%", b"+", b"=", b"a", b"\xff", b"%ff", b";", "\u0301".encode(), b"\r\n", b"--b", b"\r\n--b", PART[:-3]],
)
@pytest.mark.parametrize("kind", [FORM, FILES])
def test_the_worst_body_within_the_limit_stays_below_the_ceiling(client, kind, repeated):
    assert send(client, "/api/form", kind, Body(repeated, MOST))[1] < CEILING_SECONDS


@pytest.mark.parametrize(
    "head",
    [
        b'; filename="' + b'\\"' * 20_000 + b'"',
        b"; x" * 15_000,
        b"\r\nX-A: 1" * 5_000,
        b"".join(b"; filename*%d*=a" % number for number in range(2_000)),
    ],
    ids=["escapes", "parameters", "headers", "pieces of a name"],
)
def test_a_part_with_a_long_head_is_refused(client, head):
    part = b'--b\r\nContent-Disposition: form-data; name="a"' + head + b"\r\n\r\n1\r\n--b--\r\n"
    answer, seconds = send(client, "/api/form", FILES, Body(part, len(part)))
    assert answer.status_code == 413
    assert seconds < CEILING_SECONDS / 2


def test_the_usual_heads_of_a_hundred_parts_are_read(client):
    named = b'name="a quite long name of a field"; filename="a quite long name of a file.csv"\r\nContent-Type: text/csv'
    body = b"--b\r\nContent-Disposition: form-data; %b\r\n\r\n1\r\n" % named * 100 + b"--b--\r\n"
    assert send(client, "/api/form", FILES, Body(body, len(body)))[0].json["files"] == 1


def test_a_route_takes_what_it_says(client):
    assert send(client, "/api/large", FORM, Body(b"a", 100_000))[0].json["fields"] == 1
    assert send(client, "/api/large", FORM, Body(b"a", 100_001))[0].status_code == 413
    assert send(client, "/api/large", FORM, Body(PAIR, 199 * len(PAIR)))[0].status_code == 200
    assert send(client, "/api/large", FORM, Body(PAIR, 200 * len(PAIR)))[0].status_code == 413
    assert send(client, "/api/large", JSON, Body(b" ", 2_000_000))[0].json["size"] == 2_000_000
    assert send(client, "/api/large", JSON, Body(b" ", 2_000_001))[0].status_code == 413
    assert send(client, "/api/large", TEXT, Body(b" ", MOST))[0].json["size"] == MOST
    assert send(client, "/api/large", TEXT, Body(b" ", MOST + 1))[0].status_code == 413


@pytest.mark.parametrize(
    "text",
    ["", "&", "=", "a", "a=", "=b", "a=1&a=2", "a+b=c%20d%2B", "%C3%bc=%e2%82%AC&b", "a=b=c", "a=%zz%4", "%26%3D=&&"],
)
def test_a_form_is_read_as_python_does(client, text):
    assert_read_alike(text)


@pytest.mark.parametrize("size", range(bodies.PIECE_BYTES - 3, bodies.PIECE_BYTES + 2))
@pytest.mark.parametrize("repeated", ["%41", "%%4", "%", "%c3%bc"])
def test_an_escape_between_two_pieces_is_whole(size, repeated):
    assert_read_alike("a=" + "b" * size + repeated * 4 + "c")
    assert_read_alike("a=" + "b" * (size % 3) + repeated * bodies.PIECE_BYTES)


def assert_read_alike(text: str) -> None:
    data = text.encode()
    found = bodies.FormParser().parse(io.BytesIO(data), FORM, len(data))[1]
    assert list(found.items(multi=True)) == parse_qsl(text, keep_blank_values=True)
