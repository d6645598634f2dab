"""Requests that Engine.IO refuses."""

import json
from collections.abc import Iterable
from typing import Any
from urllib.parse import parse_qs

UNKNOWN_TRANSPORT, UNKNOWN_SID, BAD_METHOD, BAD_REQUEST, FORBIDDEN, UNSUPPORTED_VERSION = range(6)


class Refused(Exception):
    """The request gets this answer and is not processed further."""

    def __init__(self, status: str, code: int, message: str, headers: tuple[tuple[str, str], ...] = ()) -> None:
        super().__init__(message)
        self.status, self.headers = status, headers
        self.body = json.dumps({"code": code, "message": message}).encode()

    def answer(self, start_response: Any, headers: Iterable[tuple[str, str]] = ()) -> list[bytes]:
        """Send the answer with additional headers through WSGI."""
        content = [("Content-Type", "application/json"), ("Content-Length", str(len(self.body)))]
        start_response(self.status, [*content, *self.headers, *headers])
        return [self.body]


def bad(code: int, message: str) -> Refused:
    """Return Engine.IO's answer to an invalid request."""
    return Refused("400 Bad Request", code, message)


def too_many_connections() -> Refused:
    """Return the answer when there is no room for another session."""
    return Refused("503 Service Unavailable", FORBIDDEN, "Too many connections", (("Retry-After", "5"),))


def too_often(seconds: int) -> Refused:
    """Return the answer to an address that opens too many sessions; it says when to try again."""
    message = "Too many connections were opened from your address: wait a moment."
    return Refused("429 Too Many Requests", FORBIDDEN, message, (("Retry-After", str(seconds)),))


def outside_of_sessions(environ: dict[str, Any], eio: Any) -> bool:
    """Return whether a request belongs to no session of an Engine.IO server: it begins one, or it is invalid."""
    query = environ.get("QUERY_STRING", "")
    return "sid=" not in query or parse_qs(query).get("sid", [""])[0] not in eio.sockets
