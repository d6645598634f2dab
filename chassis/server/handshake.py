"""Answers RFC 6455's opening handshake and takes the connection over from gunicorn."""

import base64
import hashlib
from typing import Any

from chassis.base.concurrency import original

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455, 1.3
Environ = dict[str, Any]


def take_over(environ: Environ, first: bytes) -> tuple[Any, bytes]:
    """Send the 101 answer and the first frames; return a non-blocking socket and the bytes that followed the request.

    gunicorn's own socket loses its descriptor, by which the worker sees that the connection was taken over. Raises
    OSError if the client has disconnected.
    """
    ours = original("socket", "socket")(fileno=environ["gunicorn.socket"].detach())
    ours.setblocking(False)
    accept = base64.b64encode(hashlib.sha1(environ["HTTP_SEC_WEBSOCKET_KEY"].encode() + GUID).digest())  # noqa: S324
    lines = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "
    try:
        ours.send(lines + accept + b"\r\n\r\n" + first)  # a new connection takes a few hundred bytes at once
    except OSError:
        ours.close()
        raise
    return ours, environ["wsgi.input"].reader.unreader.take_buffered()
