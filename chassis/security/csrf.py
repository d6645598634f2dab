"""Cross-site request forgery: a request that acts in a person's name must come from one of our pages.

A browser reports the source of a request (Sec-Fetch-Site, Origin), and no page can forge these headers. A form also
needs a token. A request with an API key needs neither: no browser adds a key by itself.
"""

import hmac
import re
import secrets
from collections.abc import Callable
from typing import Any, TypeVar

from flask import Flask, Response, current_app, g, request
from markupsafe import Markup

from chassis.errors import Forbidden, Unauthorized
from chassis.security import bodies, identity, signing
from chassis.security.identity import ANONYMOUS, Identity
from chassis.security.origins import origin_check
from chassis.wiring import current_settings

F = TypeVar("F", bound=Callable[..., Any])
SAFE = ("GET", "HEAD", "OPTIONS", "TRACE")
# Other sites' forms can send these without a preflight, see https://fetch.spec.whatwg.org/#cors-safelisted-request-header
SIMPLE = (*bodies.FORMS, "text/plain")
FIELD, HEADER = "csrf_token", "X-CSRF-Token"
EXEMPT = "csrf_exempt"
VISITOR_SECONDS = 3_600  # how long a form stays valid for a visitor who is not signed in
VISITOR = re.compile(r"[0-9a-f]{32}")
PROGRAM_PATHS = ("/api/",)


def install(app: Flask) -> None:
    """Check every unsafe request, and give templates `csrf_field()`, `csrf_token()` and `csrf_meta()`."""
    app.before_request(_check)
    app.after_request(_keep)
    app.jinja_env.globals.update(csrf_field=csrf_field, csrf_token=csrf_token, csrf_meta=csrf_meta)


def exempt(function: F) -> F:
    """Exempt a view that authenticates the sender itself, such as the receiver of another service's signed calls."""
    setattr(function, EXEMPT, True)
    return function


def csrf_token() -> str:
    """Return a token for a form of this visitor; each differs, so that compression reveals nothing about it."""
    salt, session = secrets.token_hex(16), identity.current().session
    g.csrf_visitor = "" if session else g.get("csrf_visitor") or _visitor() or secrets.token_hex(16)
    return salt + _signature(signing.secret_keys()[0], salt, _bound_to())


def csrf_field() -> Markup:
    """Return the hidden input that every form must contain."""
    return Markup('<input type="hidden" name="{}" value="{}">').format(FIELD, csrf_token())


def csrf_meta() -> Markup:
    """Return the meta tag from which a page's scripts take the header; empty for visitors."""
    if not identity.current().session:
        return Markup("")
    return Markup('<meta name="csrf-token" content="{}">').format(csrf_token())


def _check() -> None:
    asked: Any = request._get_current_object()  # type: ignore[attr-defined]  # a proxy access takes 1 us
    if asked.method in SAFE or asked.endpoint is None:
        return
    who = identity.current()
    if not who.session and who.kind != ANONYMOUS:
        return
    if getattr(current_app.view_functions.get(asked.endpoint), EXEMPT, False):
        return
    if not _from_here(asked, signed_in=bool(who.session)):
        raise Forbidden("The request comes from a page of another site.", code="csrf_failed")
    if _needs_token(asked, signed_in=bool(who.session)) and not _has_token(asked):
        raise Forbidden("This form expired: go back, reload the page and try again.", code="csrf_failed")
    if who.session and asked.mimetype in bodies.FORMS:
        _check_still_there(asked, who)


def _check_still_there(asked: Any, who: Identity) -> None:
    """Read the form, and raise Unauthorized when the session or its rights ended while it was sent."""
    _ = asked.form
    if identity.look_again() != who:
        raise Unauthorized("Your session changed in the meantime: sign in again.")


def _from_here(asked: Any, *, signed_in: bool) -> bool:
    """Return whether the request comes from our pages or an origin in CORS_ORIGINS; `*` applies to visitors only."""
    site, origin = asked.headers.get("Sec-Fetch-Site"), asked.headers.get("Origin")
    if site in ("same-origin", "none"):
        return True
    if signed_in and not origin:  # not a browser: only a token proves that it loaded one of our pages
        return site is None and _has_token(asked)
    others = current_settings().cors_origins
    trusted = [other for other in others if other != "*"] if signed_in else others
    return bool(origin or site is None) and origin_check(trusted)(origin, asked.environ)


def _needs_token(asked: Any, *, signed_in: bool) -> bool:
    """Return whether the request is a form from a browser; programs send forms too, to /api and without a session."""
    return asked.mimetype in SIMPLE and (signed_in or not asked.path.startswith(PROGRAM_PATHS))


def _has_token(asked: Any) -> bool:
    bound = _bound_to()
    if not bound:
        return False  # without reading the form
    token = asked.headers.get(HEADER) or (asked.form.get(FIELD, "") if asked.mimetype in bodies.FORMS else "")
    salt, given = token[:32], token[32:].encode()
    return any(hmac.compare_digest(_signature(key, salt, bound).encode(), given) for key in signing.secret_keys())


def _bound_to() -> str:
    """Return what tokens are bound to: the session, or the cookie of a visitor without one."""
    if session := identity.current().session:
        return f"session:{session}"
    visitor = g.get("csrf_visitor") or _visitor()
    return f"visitor:{visitor}" if visitor else ""


def _visitor() -> str:
    cookie = request.cookies.get(_cookie_name(), "")
    return cookie if VISITOR.fullmatch(cookie) else ""


def _signature(key: str, salt: str, bound: str) -> str:
    return hmac.new(key.encode(), f"csrf:{salt}:{bound}".encode("utf-8", "surrogateescape"), "sha256").hexdigest()


def _cookie_name() -> str:
    """Return the cookie's name; the prefix `__Host-` prevents other hosts of the domain from setting it."""
    return "__Host-csrf" if request.is_secure else "csrf"


def _keep(response: Response) -> Response:
    """Set the cookie that the page's token needs; no cache may store such a page, which is for one visitor."""
    kept: Any = g._get_current_object()
    visitor = kept.get("csrf_visitor")
    if visitor is None:
        return response
    response.headers.setdefault("Cache-Control", "no-store")
    if visitor:
        secure = request.is_secure
        response.set_cookie(_cookie_name(), visitor, VISITOR_SECONDS, secure=secure, httponly=True, samesite="Lax")
    return response
