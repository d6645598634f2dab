"""A bucket whose storage answers wrongly: with errors, less than it should, other bytes, or not what is there."""

import http.client
import re
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import requests

from chassis.tests.conftest import same_in_every_mode
from chassis.tests.db.test_backup_s3 import KEYS
from chassis.tests.files.conftest import SMALL, ask, send, stored

CONTENT = b"".join(b"%06d\n" % number for number in range(20_000))
GONE = b"<Error><Code>NoSuchKey</Code></Error>"
pytestmark = [same_in_every_mode, pytest.mark.server]


class Storage(BaseHTTPRequestHandler):
    """Stores what is sent to it, and answers requests for it as `fault` says."""

    protocol_version = "HTTP/1.1"
    fault, content = "", b""

    def do_PUT(self) -> None:
        type(self).content = self.rfile.read(int(self.headers["Content-Length"]))
        self.answer(200, b"")

    def do_GET(self) -> None:
        first = int(re.search(r"bytes=(\d+)-", self.headers["Range"]).group(1))
        whole, asked = self.content, self.content[first:]
        headers = {"Content-Range": f"bytes {first}-{len(whole) - 1}/{len(whole)}"}
        match self.fault:
            case "gone":
                self.answer(404, GONE)
            case "error":
                self.answer(500, b"<Error><Code>InternalError</Code></Error>")
            case "whole":
                self.answer(200, whole)
            case "short":
                self.answer(206, asked[:70_000], headers)
            case "cut":
                self.answer(206, asked[:70_000], headers | {"Content-Length": str(len(asked))})
                self.close_connection = True
            case _:
                self.answer(206, asked, headers)

    def answer(self, status: int, body: bytes, headers=None) -> None:
        self.send_response(status)
        for name, value in ({"Content-Length": str(len(body))} | (headers or {})).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_) -> None:
        """Say nothing."""


@contextmanager
def storing():
    """Yield a storage and its URL."""
    handler = type("Own", (Storage,), {})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield handler, f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_what_a_storage_answers_wrongly_is_never_taken_for_the_file(serve):
    with storing() as (storage, url):
        server = serve(**SMALL, **KEYS, AWS_ENDPOINT_URL=url, FILES_TO="s3://bucket/files")
        made = send(server, ("numbers.txt", CONTENT))
        assert made.status_code == 201, made.text
        path = f"{made.json()['items'][0]['id']}/content"
        part = {"Range": "bytes=70000-70006"}
        assert ask(server, path).content == CONTENT
        assert ask(server, path, **part).content == CONTENT[70_000:70_007]
        for fault, asked, status, code in (
            ("gone", {}, 404, "not_found"),
            ("gone", part, 404, "not_found"),
            ("error", {}, 503, "storage_failed"),
            ("whole", part, 503, "storage_failed"),
        ):
            storage.fault = fault
            answer = ask(server, path, **asked)
            assert (answer.status_code, answer.json()["error"]["code"]) == (status, code), fault
            assert "ETag" not in answer.headers
        for fault in ("short", "cut"):
            storage.fault = fault
            with pytest.raises((requests.RequestException, http.client.IncompleteRead)):
                ask(server, path)
        storage.fault = ""
        assert ask(server, path).content == CONTENT
        assert stored(server) == []
