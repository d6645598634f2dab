"""What attackers try first, on one real server: each must find the door closed, and nothing in the log to steal."""

import http.client
import re
import secrets
import socket
import sys
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import pytest
import socketio

from chassis import features
from chassis.tests.conftest import ROOT
from chassis.tests.patience import LIMIT_SECONDS, wait_until
from chassis.tests.security.conftest import ADMIN, CLIENT

KEY = {"X-API-Key": CLIENT}
UP = ["..", "%2e%2e", "%2E%2E", ".%2e", "%252e%252e", "..%00", "....", "..;", "%c0%ae%c0%ae", "..%5c.."]
TARGETS = {"errors.py": 1, "pyproject.toml": 2, "etc/passwd": 12}  # and how far above chassis/web they are
SECRETS = ("root:", "class AppError", "SQLite format", "[project]", "{% block")
REDIRECTED = [
    "//evil.example",
    "//evil.example/..",
    "/%2fevil.example",
    "/%5cevil.example",
    "/\\evil.example",
    "///evil.example//",
    "/admin?next=https://evil.example",
    "/?next=//evil.example&url=https://evil.example&return_to=https://evil.example",
    "/admin//keys",
    "/http://evil.example",
    "/https:evil.example",
    "/.//evil.example",
]


def ask(server, path, method="GET", headers=None):
    """Return the answer to a path that is sent as it is."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=LIMIT_SECONDS)
    connection.putrequest(method, path, skip_accept_encoding=True)
    for name, value in (headers or KEY).items():
        connection.putheader(name, value)
    connection.endheaders()
    answer = connection.getresponse()
    answer.text = answer.read().decode("utf-8", "replace")
    connection.close()
    return answer


def raw(server, request: bytes) -> bytes:
    """Return what is answered to bytes."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=LIMIT_SECONDS) as connection:
        connection.sendall(request)
        connection.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: connection.recv(65536), b""))


@pytest.mark.parametrize("folder", ["/static", "/static/vendor", *(f"/static/{name}" for name in features.names()), ""])
def test_no_path_leads_out_of_the_folder_of_static_files(attacked, folder):
    assert "socket" in ask(attacked, "/static/live.js").text, "the folder itself is served"
    for up in UP:
        for between in ("/", "%2f", "\\"):
            for target, above in TARGETS.items():
                path = f"{folder}/" + between.join([*[up] * (above + folder.count("/")), target])
                answer = ask(attacked, path)
                assert answer.status in (301, 308, 400, 403, 404), path
                assert not any(secret in answer.text for secret in SECRETS), path
    for path in (f"{folder}//etc/passwd", f"{folder}/{ROOT}/pyproject.toml", f"{folder}/file:///etc/passwd"):
        assert not any(secret in ask(attacked, path).text for secret in SECRETS), path


@pytest.mark.parametrize("path", REDIRECTED)
@pytest.mark.parametrize("headers", [{}, {"X-Forwarded-Host": "evil.example"}, {"Referer": "https://evil.example/"}])
def test_no_redirect_leads_to_another_site(attacked, path, headers):
    answer = ask(attacked, path, headers={"X-API-Key": ADMIN, **headers})
    where = answer.headers["Location"]
    assert (where is not None) == (300 <= answer.status < 400)
    if where is not None:
        assert urlsplit(urljoin(attacked.url, where.replace("\\", "/"))).netloc == urlsplit(attacked.url).netloc, where


@pytest.mark.parametrize("line_end", ["%0d%0a", "%0a", "%E5%98%8A%E5%98%8D", "%00", "%e2%80%a8"])
def test_no_path_or_parameter_becomes_a_header(attacked, line_end):
    for path in (
        f"/{line_end}X-Evil:1",
        f"//{line_end}X-Evil:1/..",
        f"/?a={line_end}X-Evil:1",
        f"/admin//{line_end}X-Evil:1",
    ):
        answer = ask(attacked, path, headers={"X-API-Key": ADMIN})
        assert answer.headers["X-Evil"] is None, path
        assert answer.status < 500, path


@pytest.mark.parametrize("value", ["a%0d%0aX-Evil: 1", "a\tb", "é", "<b>", "a" * 129, "a;b", '"'])
def test_a_request_id_that_is_more_than_an_id_is_replaced(attacked, value):
    answer = ask(attacked, "/livez", headers={"X-Request-ID": value.encode()})
    assert re.fullmatch(r"[0-9a-f]{32}", answer.headers["X-Request-ID"])
    assert ask(attacked, "/livez", headers={"X-Request-ID": "our-own.1"}).headers["X-Request-ID"] == "our-own.1"


@pytest.mark.parametrize("end", [b"\r", b"\n", b"\r\n ", b"\x00", b"\x0b"])
def test_a_header_that_is_split_is_no_second_header(attacked, end):
    request = (
        b"GET /livez HTTP/1.1\r\nHost: localhost\r\nX-Request-ID: a" + end + b"X-Evil: 1\r\nConnection: close\r\n\r\n"
    )
    head = raw(attacked, request).partition(b"\r\n\r\n")[0]
    assert not re.search(rb"(?m)^X-Evil", head)
    assert head.split(b" ")[1] in (b"200", b"400")


def test_no_key_and_no_cookie_is_in_the_log(attacked):
    """Wrong keys too: one is often the right one of another service, or has a letter too many."""
    wrong, cookie = (secrets.token_urlsafe(32) for _ in range(2))
    for key in (wrong, CLIENT, ADMIN):
        for path in (
            f"/api/jobs?key={key}",
            f"/none?api_key={key}&a=1",
            f"/socket.io/?EIO=4&key={key}",
            f"/?token={key}",
        ):
            ask(attacked, path, headers={"X-Other": "1"})
        ask(attacked, "/api/jobs", headers={"X-API-Key": key})
        ask(attacked, "/none", headers={"Authorization": f"Bearer {key}"})
        ask(attacked, "/api/jobs", method="POST", headers={"Authorization": key, "Content-Length": "0"})
        ask(attacked, "/admin/keys", headers={"Cookie": f"session={cookie}; csrf={cookie}", "X-API-Key": key})
        raw(attacked, f"GET /api/jobs?key={key} HTTP/9.9\r\nHost: x\r\n\r\n".encode())
        raw(attacked, f"GET /api/jobs HTTP/1.1\r\nHost: x\r\nX-API-Key : {key}\r\n\r\n".encode())
        raw(attacked, f"GET /api/jobs HTTP/1.1\r\nHost: x\r\nX-API-Key: {key}\x00\r\n\r\n".encode())
        raw(attacked, f"GET /api/jobs HTTP/1.1\r\nX-API-Key: {key}\r\n\r\n".encode())
        raw(attacked, f"GET /api/jobs?key={key} too many words HTTP/1.1\r\n\r\n".encode())
        raw(attacked, f"GET /api/jobs HTTP/1.1\r\nHost: x\r\nX-API-Key {key}\r\n\r\n".encode())
        connect(attacked, key)
    ask(attacked, "/livez", headers={"X-Request-ID": "the-last-one"})
    wait_until(lambda: "the-last-one" in attacked.log)
    for what, secret in {"wrong key": wrong, "client's": CLIENT, "admin's": ADMIN, "cookie": cookie}.items():
        assert [line for line in attacked.log.splitlines() if secret in line] == [], what


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_a_wrong_key_costs_the_server_no_more_than_a_right_one(attacked):
    """So a flood of wrong ones slows others as much as the same number of right ones would, and no more."""

    def cost(key):
        before = processor_ticks(attacked)
        for _ in range(100):
            ask(attacked, "/api/none", headers={"X-API-Key": key})
        return processor_ticks(attacked) - before

    cost(CLIENT)
    rounds = [(cost(secrets.token_urlsafe(32)), cost(CLIENT)) for _ in range(3)]
    wrong, right = (sum(found) for found in zip(*rounds, strict=True))
    assert wrong < 2 * right + 10, (wrong, right)


def processor_ticks(server) -> int:
    """Return the processor's time that the workers have taken, in hundredths of a second."""
    stats = [Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split() for pid in server.workers()]
    return sum(int(fields[11]) + int(fields[12]) for fields in stats)


def connect(server, key):
    """Try a key at the door of the sockets, as `auth` and in the address; let an event fail too."""
    client = socketio.Client(reconnection=False, request_timeout=LIMIT_SECONDS)
    try:
        options = {"auth": {"key": key}, "transports": ["websocket"], "wait_timeout": LIMIT_SECONDS}
        client.connect(f"{server.url}?key={key}", **options)
    except socketio.exceptions.ConnectionError:
        return
    client.call("job:subscribe", {"id": 1, "key": key})
    client.disconnect()
