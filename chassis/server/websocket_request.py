"""Checks a request for a websocket (RFC 6455, 4.2.1)."""

import base64
from typing import Any

from chassis.server.refusals import BAD_REQUEST, Refused, bad

VERSION = "13"
Environ = dict[str, Any]


def asks_for_websocket(environ: Environ) -> bool:
    """Return whether the request asks for an upgrade to a websocket."""
    if environ.get("SERVER_PROTOCOL") == "HTTP/1.0":
        return False
    return "upgrade" in _tokens(environ, "HTTP_CONNECTION") and "websocket" in _tokens(environ, "HTTP_UPGRADE")


def check_websocket(environ: Environ) -> None:
    """Raise Refused if a websocket request does not follow RFC 6455, 4.2.1."""
    if environ.get("HTTP_SEC_WEBSOCKET_VERSION") != VERSION:
        header = (("Sec-WebSocket-Version", VERSION),)
        raise Refused("426 Upgrade Required", BAD_REQUEST, "Websocket version 13 is spoken here", header)
    if not _valid_key(environ):
        raise bad(BAD_REQUEST, "Sec-WebSocket-Key is not valid")


def _tokens(environ: Environ, header: str) -> list[str]:
    return [part.strip().lower() for part in environ.get(header, "").split(",")]


def _valid_key(environ: Environ) -> bool:
    """Return whether the client's key is 16 bytes in base64."""
    try:
        return len(base64.b64decode(environ.get("HTTP_SEC_WEBSOCKET_KEY", ""), validate=True)) == 16
    except ValueError:  # binascii.Error is a ValueError
        return False
