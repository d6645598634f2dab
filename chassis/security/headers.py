"""The headers on every response, see chassis/docs/security.md."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

from flask import Flask, Response, g, request

from chassis.security import identity
from chassis.server.patches import for_gunicorn

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

SOURCES = {  # "script-src" and "style-src" also get the nonce of a page that asked for one
    "default-src": "'self'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self' data:",
    "connect-src": "'self'",  # including sockets of the same origin
    "object-src": "'none'",
    "frame-ancestors": "'none'",
    "base-uri": "'none'",
    "form-action": "'self'",
}
WITH_NONCE = ("script-src", "style-src")
POLICY = "Content-Security-Policy"
UNUSED = ("camera", "display-capture", "geolocation", "microphone", "midi", "payment", "usb")
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",  # for browsers that do not know frame-ancestors
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": ", ".join(f"{feature}=()" for feature in UNUSED),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",  # it does not apply to fetch() from an origin in CORS_ORIGINS
    # No Cross-Origin-Embedder-Policy: nothing here needs it, and it would block every image of another site.
}
PRIVATE = "private, no-store"
KEY_HEADERS = {"HTTP_X_API_KEY", "HTTP_AUTHORIZATION"}  # even with a wrong key
TLS_HEADERS = {"Strict-Transport-Security": "max-age=31536000"}  # this host alone: others of the domain may lack TLS


def install(app: Flask) -> None:
    """Add the headers to every response whose route did not set its own, and give templates `csp_nonce()`."""
    app.wsgi_app = _with_headers(app.wsgi_app)  # type: ignore[assignment, method-assign]
    app.after_request(_allow_nonce)
    app.after_request(_keep_private)
    app.jinja_env.globals["csp_nonce"] = csp_nonce


def csp_nonce() -> str:
    """Return the nonce that allows a script or style inside this page: `<script nonce="{{ csp_nonce() }}">`."""
    kept: Any = g._get_current_object()
    if "csp_nonce" not in kept:
        kept.csp_nonce = secrets.token_urlsafe(16)
    return str(kept.csp_nonce)


def _allow_nonce(response: Response) -> Response:
    nonce = g._get_current_object().get("csp_nonce")  # a proxy access takes 1 us
    if nonce:
        response.headers.setdefault(POLICY, policy(nonce))
    return response


def _keep_private(response: Response) -> Response:
    """Prevent caches, and the browser's back button after signing out, from showing downloads and private responses.

    A response is private when the request has a key or a session. A route's own Cache-Control stays, as for static
    files, except on downloads.
    """
    asked: Any = request._get_current_object()  # type: ignore[attr-defined]  # a proxy access takes 1 us
    # not `headers.get`, which raises and catches an exception for a missing header
    if any(value.startswith("attachment") for value in response.headers.getlist("Content-Disposition")):
        response.headers["Cache-Control"] = PRIVATE
    elif not KEY_HEADERS.isdisjoint(asked.environ) or _is_known(asked.environ):
        response.headers.setdefault("Cache-Control", PRIVATE)
    return response


def _is_known(environ: WSGIEnvironment) -> bool:
    who = identity.remembered(environ, "")
    return who is not None and who.kind != identity.ANONYMOUS


def _with_headers(pages: WSGIApplication) -> WSGIApplication:
    """Return the application with the headers on every response, including those of middleware."""

    def call(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Callable[[bytes], object]:
            sent = _TLS if environ["wsgi.url_scheme"] == "https" else _PLAIN
            own = {name.lower() for name, _ in headers}.intersection(sent)
            more = [header for name, header in sent.items() if name not in own] if own else sent.values()
            return start_response(status, [*headers, *more], exc_info)

        return pages(environ, start)

    return call


def policy(nonce: str = "") -> str:
    """Return the Content-Security-Policy of a page, with its nonce if it has one."""
    more = f" 'nonce-{nonce}'" if nonce else ""
    return "; ".join(f"{kind} {source}{more if kind in WITH_NONCE else ''}" for kind, source in SOURCES.items())


_PLAIN = {name.lower(): (name, value) for name, value in {**HEADERS, POLICY: policy()}.items()}
_TLS = _PLAIN | {name.lower(): (name, value) for name, value in TLS_HEADERS.items()}
for_gunicorn.same_headers.update(_TLS.values())
