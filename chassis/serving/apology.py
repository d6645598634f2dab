"""Answers every request with the error that keeps the server from starting, until the code is right."""

import html
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from chassis.base.development import State

PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta http-equiv="refresh" content="1"><title>Not running</title></head>
<body><h1>The server does not start</h1><pre>{}</pre></body></html>
"""


class Apology:
    """A server in a thread, on a socket that listens already and that it does not close."""

    def __init__(self, listener: socket.socket, state: State) -> None:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(state), bind_and_activate=False)
        self._server.socket.close()
        self._server.socket = listener.dup()
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop answering."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def _handler(state: State) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = PAGE.format(html.escape(str(state.read()["error"]))).encode()
            self.send_response(503)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Cache-Control", "no-store")
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_GET

        def log_message(self, format: str, *args: object) -> None:
            """Log nothing: the terminal has the error already."""

    return Handler
