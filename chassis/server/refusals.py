"""Requests that Engine.IO refuses."""

import json
from collections.abc import Iterable
from typing import Any
from urllib.parse import parse_qs

UNKNOWN_TRANSPORT, UNKNOWN_SID, BAD_METHOD, BAD_REQUEST, FORBIDDEN, UNSUPPORTED_VERSION = range(6)


class Refused(Exception):
    """The request gets this answer and nothing else."""

    def __init__(self, status: str, code: int, message: str, headers: tuple[tuple[str, str], ...] = ()) -> None:
        super().__init__(message)
        self.status, self.headers = status, headers
        self.body = json.dumps({"code": code, "message": message}).encode()

    def answer(self, start_response: Any, headers: Iterable[tuple[str, str]] = ()) -> list[bytes]:
        """Send the answer, with further headers, as WSGI has it."""
        content = [("Content-Type", "application/json"), ("Content-Length", str(len(self.body)))]
        start_response(self.status, [*content, *self.headers, *headers])
        return [self.body]


def bad(code: int, message: str) -> Refused:
    """Return what Engine.IO answers to a wrong request."""
    return Refused("400 Bad Request", code, message)


def too_many_connections() -> Refused:
    """Return what is answered while there is no room for a session."""
    return Refused("503 Service Unavailable", FORBIDDEN, "Too many connections", (("Retry-After", "5"),))


def too_often(seconds: int) -> Refused:
    """Return what is answered to an address that asks for too many sessions, and when it may ask again."""
    message = "Too many connections were opened from your address: wait a moment."
    return Refused("429 Too Many Requests", FORBIDDEN, message, (("Retry-After", str(seconds)),))


def outside_of_sessions(environ: dict[str, Any], eio: Any) -> bool:
    """Return whether a request belongs to no session of an Engine.IO server: it begins one, or it is wrong."""
    query = environ.get("QUERY_STRING", "")
    return "sid=" not in query or parse_qs(query).get("sid", [""])[0] not in eio.sockets
