"""A model server that can be slow, fail, break in the middle, or be killed.

    python -m app.features.gateway.tests.backend [PORT] [NAME]

prints its URL and serves until it is killed. The model `small` answers `NAME: <prompt>`. Markers in the prompt: [500],
[404], [429], [redirect], [cut] (a stream that breaks), [hold] (waits until the client hangs up), [endless] (a stream),
[html] (a page with the status 200), [error] (an error with the status 200), [huge] (an impossible usage), [malformed]
(a stream with what is no data).
"""

import json
import select
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from chassis.tests.patience import LIMIT_SECONDS

HUGE = {"prompt_tokens": 10**30, "completion_tokens": -1}
MALFORMED = b"\xef\xbb\xbf: comment\r\n\r\n\r\nid: 1\nretry: 1\n\ndata\n\nevent: x\nother\n\n:" + b"\xff" * 99 + b"\n\n"
USAGE = {"prompt_tokens": 7, "completion_tokens": 5, "total_tokens": 12}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self):
        up = self.server.status == 200
        self.send(self.server.status, {"data": [{"id": name} for name in self.server.models]} if up else {})

    def do_POST(self):
        server = self.server
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        heard = {"headers": dict(self.headers), "key": self.headers.get("Authorization")}
        server.seen.append({"path": self.path, **heard, **asked})
        prompt = str(asked.get("messages", [{"content": asked.get("prompt", asked.get("input"))}])[-1]["content"])
        server.began += 1
        try:
            self.answer(asked, prompt)
        finally:
            server.ended += 1

    def answer(self, asked, prompt):
        if gate := self.server.gate:
            gate.wait(LIMIT_SECONDS)
        for status in (500, 429, 400, 401, 404):
            if f"[{status}]" in prompt or self.server.status == status:
                self.send(
                    status, {"error": {"message": "no", "type": "t", "param": None, "code": "c"}}, {"Retry-After": "²"}
                )
                return
        if "[redirect]" in prompt:
            self.send(307, {}, {"Location": self.server.elsewhere})
        elif "[hold]" in prompt:
            self.server.hung_up += bool(select.select([self.connection], [], [], LIMIT_SECONDS)[0])
        elif "[html]" in prompt:
            self.send(200, {}, {"Content-Type": "text/html"}, text="<html>")
        elif asked.get("stream"):
            self.stream(asked, prompt)
        elif "[error]" in prompt:
            self.send(200, {"error": {"message": "out of memory"}})
        elif self.path.endswith("/embeddings"):
            data = [{"object": "embedding", "index": 0, "embedding": [0.5, 0.25]}]
            self.send(200, {"object": "list", "model": "small", "data": data, "usage": USAGE})
        else:
            self.send(200, self.whole(asked, f"{self.server.name}: {prompt}"))

    def whole(self, asked, text):
        chat = self.path.endswith("/chat/completions")
        choice = {"index": 0, "finish_reason": "stop"}
        choice |= {"message": {"role": "assistant", "content": text}} if chat else {"text": text, "logprobs": None}
        kind = "chat.completion" if chat else "text_completion"
        return {"id": "1", "object": kind, "created": 1, "model": "small", "choices": [choice]} | {
            "usage": HUGE if "[huge]" in text else USAGE
        }

    def stream(self, asked, prompt):
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        if "[error]" in prompt:
            self.event({"error": {"message": "out of memory"}})
        if "[malformed]" in prompt:
            self.wfile.write(MALFORMED)
        number = 0
        while number < 3 or "[endless]" in prompt:
            self.event(self.part({"content": f"{number} "}))
            number += 1
            if "[cut]" in prompt and number == 2:
                self.close_connection = True
                return
            if "[endless]" in prompt:
                time.sleep(0.02)
        self.event(self.part({}, "stop"))
        if asked.get("stream_options", {}).get("include_usage"):
            self.event({**self.part({}), "choices": [], "usage": USAGE})
        self.wfile.write(b"data: [DONE]\n\n")
        self.close_connection = True

    def part(self, delta, reason=None):
        choice = {"index": 0, "delta": delta, "finish_reason": reason}
        return {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "small", "choices": [choice]}

    def event(self, data):
        self.wfile.write(f"data: {json.dumps(data)}\n\n".encode())
        self.wfile.flush()

    def send(self, status, body, headers=None, text=None):
        data = (text or json.dumps(body)).encode()
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", "Set-Cookie": "a=1", **(headers or {})}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *args):
        pass


class Backend(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256

    def __init__(self, port=0, name="one", models=("small",)):
        super().__init__(("127.0.0.1", port), Handler)
        self.name, self.models, self.elsewhere = name, models, ""
        self.status, self.gate = 200, None
        self.seen, self.began, self.ended, self.hung_up = [], 0, 0, 0
        self.url = f"http://127.0.0.1:{self.server_address[1]}/v1"

    def started(self):
        """Serve in a thread."""
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def handle_error(self, request, client_address):
        """Say nothing: clients that hang up are what the tests are about."""


if __name__ == "__main__":
    backend = Backend(int(sys.argv[1]) if len(sys.argv) > 1 else 0, sys.argv[2] if len(sys.argv) > 2 else "one")
    print(backend.url, flush=True)
    backend.serve_forever()
