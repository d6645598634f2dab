"""A body that is too large is refused before it is read, and the answer arrives although the client still sends."""

import json
import subprocess

import pytest

from chassis.tests.conftest import ASYNC_MODE, free_port
from chassis.tests.security.conftest import JSON_BYTES, UPLOAD_BYTES, USUAL_BYTES, connect, rest, statuses
from chassis.tests.server.wire import Wire

LINES_BYTES = 500_000
LARGE = 8_000_000  # more than the kernel's buffers take
ENDLESS = 200_000_000
HEAD = b"POST %s HTTP/1.1\r\nHost: x\r\nContent-Type: %s\r\n"
OURS = pytest.mark.skipif(ASYNC_MODE == "threading", reason="gunicorn's own worker closes at once")
NGINX = """
user root; daemon off; pid {folder}/nginx.pid; error_log {folder}/error.log; events {{}}
http {{
    access_log off; client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/f;
    uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s; client_max_body_size 0;
    server {{
        listen 127.0.0.1:{port};
        location / {{ proxy_pass http://127.0.0.1:{behind}; proxy_http_version 1.1; proxy_request_buffering off; }}
        location /api/ {{ proxy_pass http://127.0.0.1:{behind}; proxy_http_version 1.1; }}
    }}
}}
"""


def post(path: str, content_type: str, length: int) -> bytes:
    head = HEAD % (path.encode(), content_type.encode())
    return head + b"Content-Length: %d\r\n\r\n" % length


@pytest.mark.parametrize(
    ("path", "content_type", "most"),
    [
        ("/api/bodies", "application/json", JSON_BYTES),
        ("/api/bodies", "application/problem+json", JSON_BYTES),
        ("/api/nothing", "application/json", USUAL_BYTES),
        ("/api/bodies/1/again", "multipart/form-data; boundary=b", USUAL_BYTES),
        ("/api/bodies", "text/plain", USUAL_BYTES),
        ("/api/bodies", "application/x-www-form-urlencoded", LINES_BYTES),
        ("/api/bodies", "multipart/form-data; boundary=b", UPLOAD_BYTES),
    ],
)
def test_a_length_over_the_limit_is_refused_without_the_body(site, path, content_type, most):
    client = Wire(site.port).send(post(path, content_type, most + 1))  # and no more: an answer means that nobody waited
    status, _, body = client.answer()
    assert status == 413
    error = json.loads(body)["error"]
    assert error["code"] == "payload_too_large"
    assert f"{most:,}" in error["message"]


def test_people_get_a_page(site):
    status, text = site.request("POST", "/", b"x" * (USUAL_BYTES + 1), {"Accept": "text/html"})
    assert status == 413
    assert "larger than this service accepts" in text


def test_what_is_just_within_the_limits_is_taken(site):
    body = b'{"prompt":"{a}","rows":[{"a":"1"}]}'.ljust(JSON_BYTES)
    assert site.request("POST", "/api/bodies", body, {"Content-Type": "application/json"})[0] == 202


def test_a_body_of_another_type_has_the_usual_limit(site):
    body = b"{}".ljust(USUAL_BYTES + 1)
    found = site.post("/api/bodies", {"prompt": "{a}", "rows": [{"a": "1"}]})[1]["id"]
    assert site.request("POST", f"/api/bodies/{found}/again", body, {"Content-Type": "text/x"})[0] == 413


@pytest.mark.parametrize(
    ("content_type", "most"), [("application/json", JSON_BYTES), ("multipart/form-data; boundary=b", UPLOAD_BYTES)]
)
def test_chunks_over_the_limit_are_refused(site, content_type, most):
    connection = connect(site)
    connection.sendall(HEAD % (b"/api/bodies", content_type.encode()) + b"Transfer-Encoding: chunked\r\n\r\n")
    for _ in range(most // 1_024 + 1):  # and no more, so that an answer means that nobody waited
        connection.sendall(b"400\r\n" + b" " * 1_024 + b"\r\n")
    assert statuses(connection.recv(65_536)) == [413]


@OURS
@pytest.mark.parametrize("path", ["/api/bodies", "/livez", "/api/nothing"])
def test_the_answer_arrives_at_a_client_that_sends_all_before_it_reads(site, path):
    connection = connect(site)
    connection.sendall(post(path, "application/json", LARGE) + b" " * LARGE)
    received = rest(connection)
    assert statuses(received) == [413]
    assert received.endswith(b"}\n")


@OURS
def test_the_answer_to_a_malformed_request_arrives_too(site):
    connection = connect(site)
    connection.sendall(b"POST / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n" + b" " * LARGE)
    assert statuses(rest(connection)) == [400]


@OURS
def test_who_never_ends_to_send_is_cut(site):
    connection, sent = connect(site), 0
    connection.sendall(post("/api/bodies", "application/json", ENDLESS))
    with pytest.raises(OSError, match=r"reset|Broken pipe"):
        while sent < ENDLESS:
            sent += connection.send(b" " * 65_536)
    assert site.get("/livez")[0] == 200


@OURS
@pytest.mark.parametrize("path", ["/api/bodies", "/"])
def test_the_answer_arrives_behind_a_proxy(site, path, tool, tmp_path, wait_for):
    port, config = free_port(), tmp_path / "nginx.conf"
    config.write_text(NGINX.format(folder=tmp_path, port=port, behind=site.port))
    with subprocess.Popen([tool("nginx"), "-p", str(tmp_path), "-c", str(config)]) as nginx:
        try:
            front = type("Front", (), {"port": port})
            wait_for(lambda: listens(front))
            for _ in range(5):
                connection = connect(front)
                head = post(path, "application/json", LARGE).replace(b"Host: x", b"Host: x\r\nConnection: close")
                connection.sendall(head + b" " * LARGE)
                assert statuses(rest(connection)) == [413]
        finally:
            nginx.terminate()


def listens(server) -> bool:
    try:
        connect(server).close()
    except OSError:
        return False
    return True
