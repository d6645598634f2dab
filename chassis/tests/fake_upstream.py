"""A local OpenAI-compatible API that answers `echo: <prompt>`, and misbehaves where the prompt asks for it.

    python chassis/tests/fake_upstream.py --port 0 [--latency SECONDS] [--certificate FILE.pem]

prints its URL (for UPSTREAM_BASE_URL) and serves POST .../chat/completions until it is stopped.
GET /stats tells what it saw, POST /reset forgets it. POST /refuse with `{"status": 429}` makes it answer that to all,
until `{}` is posted. Times are of the monotonic clock, which all processes share.

Markers in a prompt:
    [429]        first attempt 429 with `Retry-After: 1`, then good; [429xN] N times
    [500x2]      two 500, then good (any status, any count); [400] [401] [500]: always
    [error502]   200 with an error of that code in the body, first attempt only, as OpenRouter does
    [malformed]  not JSON              [empty]  JSON without choices
    [reset]      the connection is reset on the first attempt
    [slow]       no answer for 30 s    [drip]   an answer that takes 30 s, a byte at a time
    [large]      an answer of 3 MB     [surrogate]  a text and a model with half a surrogate pair and a null character
    [cut]        half an answer        [filtered]   half an answer, stopped by a filter
    [redirect]   307 to another host   [leak]   400 whose message repeats the key and is long
    [refused]    400 whose message has half a surrogate pair and a null character
A request for a stream is answered by fake_stream.py, whose forms have markers of their own, unless one of the above
applies; [json] answers it in one piece.
"""

import argparse
import json
import re
import select
import socket
import ssl
import struct
import sys
import threading
import time
from collections import deque
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # when it is run as a program
from chassis.tests import fake_stream

PATIENCE_SECONDS = 30.0
UNSTORABLE = "bad \ud83d end\x00"
KEPT_BODIES = 20  # of requests, the last ones
HELD_AT_MOST = 10_000  # requests at once, more than any test sends


class Stats:
    """What the server saw; one lock for all."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.in_flight = 0
        self.reset()

    def reset(self) -> None:
        with self.lock:
            self.starts: list[float] = []
            self.prompts: list[str] = []
            self.bodies: deque[dict] = deque(maxlen=KEPT_BODIES)
            self.keys: list[str] = []
            self.ports: set[int] = set()
            self.attempts: dict[str, int] = {}
            self.max_in_flight = self.in_flight

    def begin(self, body: dict, prompt: str, key: str, port: int) -> int:
        """Count a request; return which attempt of its prompt it is."""
        with self.lock:
            self.starts.append(time.monotonic())
            self.prompts.append(prompt)
            self.bodies.append(body)
            self.keys.append(key)
            self.ports.add(port)
            self.in_flight += 1
            self.max_in_flight = max(self.max_in_flight, self.in_flight)
            self.attempts[prompt] = self.attempts.get(prompt, 0) + 1
            return self.attempts[prompt]

    def end(self) -> None:
        with self.lock:
            self.in_flight -= 1

    def as_dict(self) -> dict:
        with self.lock:
            return {
                "requests": len(self.starts),
                "starts": self.starts,
                "max_in_flight": self.max_in_flight,
                "in_flight": self.in_flight,
                "prompts": self.prompts,
                "bodies": list(self.bodies),
                "keys": self.keys,
                "connections": len(self.ports),
            }


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
            special = self.choose(prompt, attempt, asked.get("model", ""), key)
            if special is None and asked.get("stream") and "[json]" not in prompt:
                fake_stream.send(self, asked, attempt)
                return
        finally:
            self.server.stats.end()  # before the answer leaves, since the client may go on as soon as it has it
        self.send(*(special or (200, completion(prompt, asked.get("model", "")))))

    def choose(self, prompt: str, attempt: int, model: str, key: str) -> tuple | None:
        if status := self.server.refusal:
            return status, error_body(status, "not now"), {"Retry-After": "1"} if status == 429 else {}
        if found := re.search(r"\[([3-5]\d\d)(?:x(\d+))?\]", prompt):
            status = int(found[1])
            times = int(found[2]) if found[2] else 1 if status == 429 else None
            if times is None or attempt <= times:
                extra = {"Retry-After": "1"} if status == 429 else {}
                return status, error_body(status, f"asked for {status}"), extra
        if (found := re.search(r"\[error(\d+)\]", prompt)) and attempt == 1:
            return 200, error_body(int(found[1]), "the model failed")
        if "[leak]" in prompt:
            return 400, error_body(400, f"bad key {key} " + "and a long story " * 50)
        if "[malformed]" in prompt:
            return 200, "<html>not JSON</html>"
        if "[empty]" in prompt:
            return 200, json.dumps({"id": "x", "choices": []})
        if "[large]" in prompt:
            return 200, completion(prompt + "x" * 3_000_000, model)
        if "[surrogate]" in prompt:
            return 200, completion(UNSTORABLE, f"{model}{UNSTORABLE}")
        if "[refused]" in prompt:
            return 400, error_body(400, UNSTORABLE)
        if found := re.search(r"\[(cut|filtered)\]", prompt):
            return 200, completion(prompt, model, {"cut": "length", "filtered": "content_filter"}[found[1]])
        if "[redirect]" in prompt:
            return 307, "{}", {"Location": "http://localhost:1/v1/chat/completions"}
        return None

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


def error_body(code: int, message: str) -> str:
    return json.dumps({"error": {"code": code, "message": message}})


def completion(prompt: str, model: str, finish_reason: str = "stop") -> str:
    text = f"echo: {prompt}"
    asked, answered = len(prompt.split()), len(text.split())
    return json.dumps(
        {
            "id": "chatcmpl-fake",
            "object": "chat.completion",
            "model": model,
            "choices": [
                {"index": 0, "finish_reason": finish_reason, "message": {"role": "assistant", "content": text}}
            ],
            "usage": {"prompt_tokens": asked, "completion_tokens": answered, "total_tokens": asked + answered},
        }
    )


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
