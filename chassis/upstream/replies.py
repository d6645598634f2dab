"""Receives an answer of the outside API within its size limit, and parses its JSON."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import requests

from chassis.upstream.errors import UpstreamError

PIECE_BYTES = 65_536
MAX_CONTAINERS = 20_000  # objects and arrays: a million of them take half a second to build
TEXT = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z)', re.DOTALL)


class TooLarge(Exception):
    """Raised when a body exceeds its limit."""


@dataclass(frozen=True, slots=True)
class Reply:
    """A status, headers, and a body within the limit."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def good(self) -> bool:
        return 200 <= self.status < 300


def receive(response: requests.Response, most: int) -> Reply:
    """Read a response in pieces, up to `most` bytes, also after decompression.

    Raises UpstreamError for a larger body of a successful response; for a failed one the status counts, and its body is
    discarded.
    """
    body = bytearray()
    try:
        for piece in response.iter_content(PIECE_BYTES):
            body += piece
            if len(body) > most:
                raise TooLarge
    except TooLarge:
        response.close()
        if response.status_code // 100 == 2:
            raise too_large(most) from None
        body.clear()
    return Reply(response.status_code, response.headers, bytes(body))


def too_large(most: int) -> UpstreamError:
    """Return the error for an answer over the limit."""
    message = f"The outside API's answer is over {most:,} bytes (UPSTREAM_MAX_RESPONSE_BYTES)."
    return UpstreamError("upstream_too_large", message)


def parsed(reply: Reply) -> Any:
    """Return the JSON of a reply; without JSON, return None for a failed reply and raise UpstreamError otherwise."""
    try:
        return loads(reply.body, MAX_CONTAINERS)
    except ValueError:
        if reply.good:
            message = "The outside API returned an answer that is not JSON; check UPSTREAM_BASE_URL."
            raise UpstreamError("upstream_malformed", message) from None
        return None


def loads(body: bytes, most: int) -> Any:
    """Return the JSON of a body; raise ValueError if it is none, or has more than `most` objects and arrays.

    Brackets inside strings do not count.
    """
    if _brackets(body) > most and _brackets(TEXT.sub(b"", body)) > most:
        raise ValueError(f"more than {most:,} objects and arrays")
    try:
        return json.loads(body)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def _brackets(body: bytes) -> int:
    return body.count(b"[") + body.count(b"{")
