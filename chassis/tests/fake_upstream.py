"""A local OpenAI-compatible API that answers `echo: <prompt>`, and misbehaves where the prompt asks for it.

    python -m chassis.tests.fake_upstream --port 0 [--latency SECONDS] [--certificate FILE.pem]

prints its URL (for UPSTREAM_BASE_URL) and serves POST .../chat/completions and .../embeddings until it is stopped.
GET /stats tells what it saw, POST /reset forgets it. POST /refuse with `{"status": 429}` makes it answer that to all,
until `{}` is posted. Times are of the monotonic clock, which all processes share.
fake_answers.py lists the markers in a prompt. A request for a stream is answered by fake_stream.py, whose forms have
markers of their own, unless one of those applies; [json] answers it in one piece.
"""

import argparse
import json
import select
import socket
import ssl
import struct
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from chassis.tests import fake_answers, fake_stream
from chassis.tests.fake_answers import RETRY, choose, completion, error_body
from chassis.tests.fake_stats import Stats

PATIENCE_SECONDS = 30.0
HELD_AT_MOST = 10_000  # requests at once, more than any test sends


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    server: "FakeUpstream"

    def do_GET(self) -> None:
        if self.path.endswith("/stats"):
            self.send(200, json.dumps(self.server.stats.as_dict()))
        else:
            self.send(404, error_body(404, "no such page"))

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.path.endswith("/reset"):
            self.server.stats.reset()
            self.send(200, "{}")
        elif self.path.endswith("/refuse"):
            self.server.refusal = json.loads(body).get("status")
            self.send(200, "{}")
        elif self.path.endswith("/chat/completions"):
            self.answer(json.loads(body))
        elif self.path.endswith("/embeddings"):
            self.embed(json.loads(body))
        else:
            self.send(404, error_body(404, "no such page"))

    def answer(self, asked: dict) -> None:
        prompt = asked["messages"][-1]["content"]
        key = (self.headers.get("Authorization") or "").removeprefix("Bearer ")
        attempt = self.server.stats.begin(asked, prompt, key, self.client_address[1])
        try:
            if gate := self.server.gate:
                gate.acquire()
            if self.server.latency:
                time.sleep(self.server.latency)
            if "[slow]" in prompt:
                self.wait_for_hang_up(PATIENCE_SECONDS)
            if "[drip]" in prompt:
                self.drip()
            if "[reset]" in prompt and attempt == 1:
                self.reset_connection()
            special = self.special(prompt, attempt, asked.get("model", ""), key)
            if special is None and asked.get("stream") and "[json]" not in prompt:
                fake_stream.send(self, asked, attempt)
                return
        finally:
            self.server.stats.end()  # before the answer leaves, since the client may go on as soon as it has it
        self.send(*(special or (200, completion(prompt, asked.get("model", "")))))

    def embed(self, asked: dict) -> None:
        """Answer with a vector of each text; markers in the first one apply."""
        key = (self.headers.get("Authorization") or "").removeprefix("Bearer ")
        attempt = self.server.stats.begin(asked, asked["input"][0], key, self.client_address[1])
        self.server.stats.end()
        special = self.special(asked["input"][0], attempt, asked["model"], key)
        self.send(*(special or (200, fake_answers.vectors(asked["input"], asked["model"]))))

    def special(self, prompt: str, attempt: int, model: str, key: str) -> tuple | None:
        if status := self.server.refusal:
            return status, error_body(status, "not now"), RETRY if status == 429 else {}
        return choose(prompt, attempt, model, key)

    def wait_for_hang_up(self, seconds: float) -> None:
        if select.select([self.connection], [], [], seconds)[0]:
            raise ConnectionAbortedError

    def drip(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "1000")
        self.end_headers()
        for _ in range(int(PATIENCE_SECONDS * 20)):
            self.wfile.write(b" ")
            self.wfile.flush()
            time.sleep(0.05)

    def reset_connection(self) -> None:
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        for file in (self.rfile, self.wfile, self.connection):
            file.close()
        raise ConnectionResetError

    def send(self, status: int, text: str, headers: dict[str, str] | None = None) -> None:
        body = text.encode()
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", **(headers or {})}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        pass


class FakeUpstream(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 1024

    def __init__(self, port: int = 0, latency: float = 0.0, certificate: str | None = None) -> None:
        self.stats, self.latency = Stats(), latency
        self.refusal: int | None = None
        self.gate: threading.Semaphore | None = None
        super().__init__(("127.0.0.1", port), Handler)
        scheme = "http"
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            self.socket = context.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)
            scheme = "https"
        self.url = f"{scheme}://127.0.0.1:{self.server_address[1]}"

    def hold_after(self, answers: int) -> None:
        """Answer that many more requests; the others wait for `release`."""
        self.gate = threading.Semaphore(answers)

    def release(self) -> None:
        """Answer the requests that wait, and all later ones."""
        gate, self.gate = self.gate, None
        if gate:
            gate.release(HELD_AT_MOST)

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: clients that hang up are what the tests are about."""


def main() -> None:
    parser = argparse.ArgumentParser(description="A local OpenAI-compatible API that misbehaves on demand.")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--latency", type=float, default=0.0, help="seconds that each answer takes")
    parser.add_argument("--certificate", help="serve TLS with this PEM file (key and certificate)")
    options = parser.parse_args()
    server = FakeUpstream(options.port, options.latency, options.certificate)
    print(server.url, flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
