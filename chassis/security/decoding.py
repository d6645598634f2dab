"""Prevents errors from bytes that are not UTF-8: such cookies are dropped, and in queries they become U+FFFD.

Browsers also send the cookies of other applications on the same domain, in any encoding.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote_from_bytes

if TYPE_CHECKING:
    from collections.abc import Iterable

    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment
    from flask import Flask

COOKIES, QUERY = "HTTP_COOKIE", "QUERY_STRING"
SAFE = bytes(range(0x20, 0x7F)).decode()  # ASCII is left as it was sent


def install(app: Flask) -> None:
    """Wrap the application, including the sockets' path."""
    app.wsgi_app = wrapped(app.wsgi_app)  # type: ignore[assignment, method-assign]


def wrapped(application: WSGIApplication) -> WSGIApplication:
    """Return the application behind a filter that makes the cookies and the query decodable."""

    def call(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if not (cookies := environ.get(COOKIES, "")).isascii():
            environ[COOKIES] = readable_cookies(cookies)
        if not (query := environ.get(QUERY, "")).isascii():
            environ[QUERY] = quote_from_bytes(query.encode("latin-1"), safe=SAFE)
        return application(environ, start_response)

    return call


def readable_cookies(header: str) -> str:
    """Return a Cookie header (PEP 3333: its bytes as Latin-1) without the cookies that are not UTF-8."""
    return ";".join(part for part in header.split(";") if _readable(part))


def _readable(part: str) -> bool:
    try:
        part.encode("latin-1").decode()
    except UnicodeDecodeError:
        return False
    return True
