"""Prevents errors from headers that cannot be read.

Cookies that are not UTF-8 are dropped, and in queries such bytes become U+FFFD. Browsers also send the cookies of other
applications on the same domain, in any encoding. Conditions with an impossible date are dropped, as RFC 9110, 13.1.3
asks: werkzeug fails for a time zone or an hour that does not fit into an integer of C.
"""

from __future__ import annotations

from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING
from urllib.parse import quote_from_bytes

if TYPE_CHECKING:
    from collections.abc import Iterable

    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment
    from flask import Flask

COOKIES, QUERY = "HTTP_COOKIE", "QUERY_STRING"
DATES = {  # headers with a date, and what goes with them: a range is only for the version that If-Range names
    "HTTP_IF_MODIFIED_SINCE": (),
    "HTTP_IF_UNMODIFIED_SINCE": (),
    "HTTP_IF_RANGE": ("HTTP_RANGE",),
    "HTTP_DATE": (),
}
SAFE = bytes(range(0x20, 0x7F)).decode()  # ASCII is left as it was sent


def install(app: Flask) -> None:
    """Wrap the application, including the sockets' path."""
    app.wsgi_app = wrapped(app.wsgi_app)  # type: ignore[assignment, method-assign]


def wrapped(application: WSGIApplication) -> WSGIApplication:
    """Return the application behind a filter that makes the cookies, the query and the dates readable."""

    def call(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if not (cookies := environ.get(COOKIES, "")).isascii():
            environ[COOKIES] = readable_cookies(cookies)
        if not (query := environ.get(QUERY, "")).isascii():
            environ[QUERY] = quote_from_bytes(query.encode("latin-1"), safe=SAFE)
        for name in DATES:
            if name in environ and not _fits(environ[name]):
                _drop(environ, name, *DATES[name])
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


def _fits(date: str) -> bool:
    """Return whether werkzeug can read a text as a date, or see that it is none."""
    try:
        parsedate_to_datetime(date)
    except (TypeError, ValueError):
        return True
    except OverflowError:
        return False
    return True


def _drop(environ: WSGIEnvironment, *names: str) -> None:
    for name in names:
        environ.pop(name, None)
