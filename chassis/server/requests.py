"""Reads from requests what Engine.IO needs."""

import io
import socket
import sys
from typing import Any

from chassis.server import hub
from chassis.server.refusals import BAD_REQUEST, Refused

NOTHING: dict[str, Any] = {"wsgi.input": io.BytesIO(), "wsgi.errors": sys.stderr}


def read_body(environ: dict[str, Any], max_bytes: int, seconds: float) -> str:
    """Return a post's body; raise Refused if it is too large or too slow, ValueError if it is not UTF-8."""
    body, length = None, environ.get("CONTENT_LENGTH", "")
    if not length or int(length) <= max_bytes:
        with hub.current().time_limit(seconds):
            body = environ["wsgi.input"].read(max_bytes + 1)
        if body is None:
            environ["gunicorn.socket"].shutdown(socket.SHUT_RD)  # the time is over for the rest of the body too
            raise Refused("408 Request Timeout", BAD_REQUEST, "The body did not come in time")
    if body is None or len(body) > max_bytes:
        raise Refused("413 Content Too Large", BAD_REQUEST, f"At most {max_bytes} bytes")
    return str(body, "utf-8")


def compressed(engine: Any, environ: dict[str, Any], body: bytes) -> tuple[bytes, list[tuple[str, str]]]:
    """Return a long answer in the client's preferred encoding, with the matching header."""
    accepted = [part.split(";")[0].strip() for part in environ.get("HTTP_ACCEPT_ENCODING", "").split(",")]
    for encoding in engine.compression_methods:
        if engine.http_compression and len(body) >= engine.compression_threshold and encoding in accepted:
            return getattr(engine, "_" + encoding)(body), [("Content-Encoding", encoding)]
    return body, []


def kept(environ: dict[str, Any]) -> dict[str, Any]:
    """Return the request data that handlers can read, without gunicorn's objects and with shared strings."""
    kept = {sys.intern(k): sys.intern(v) if isinstance(v, str) else v for k, v in environ.items() if _plain(k, v)}
    return kept | NOTHING


def _plain(name: str, value: Any) -> bool:
    return type(value) in (str, bool, tuple) or name == "flask.app"
