"""Cross-site request forgery: what changes something in a person's name must have been sent by a page of ours.

A browser says where a request comes from (Sec-Fetch-Site, Origin), and no page can forge that. A form needs a token
besides. Who shows an API key needs neither: no browser adds a key by itself.
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
# What a form of another site can send without asking first, see https://fetch.spec.whatwg.org/#cors-safelisted-request-header
SIMPLE = (*bodies.FORMS, "text/plain")
FIELD, HEADER = "csrf_token", "X-CSRF-Token"
EXEMPT = "csrf_exempt"
VISITOR_SECONDS = 3_600  # how long a form may stay open in the browser of somebody who has not signed in
VISITOR = re.compile(r"[0-9a-f]{32}")
PROGRAM_PATHS = ("/api/",)


def install(app: Flask) -> None:
    """Check every unsafe request, and give templates `csrf_field()`, `csrf_token()` and `csrf_meta()`."""
    app.before_request(_check)
    app.after_request(_keep)
    app.jinja_env.globals.update(csrf_field=csrf_field, csrf_token=csrf_token, csrf_meta=csrf_meta)


def exempt(function: F) -> F:
    """Mark a view that proves by itself who sends, as the receiver of another service's signed calls does."""
    setattr(function, EXEMPT, True)
    return function


def csrf_token() -> str:
    """Return a token for a form of this visitor; another one each time, so that compression tells nothing of it."""
    salt, session = secrets.token_hex(16), identity.current().session
    g.csrf_visitor = "" if session else g.get("csrf_visitor") or _visitor() or secrets.token_hex(16)
    return salt + _signature(signing.secret_keys()[0], salt, _bound_to())


def csrf_field() -> Markup:
    """Return the hidden input that belongs into every form."""
    return Markup('<input type="hidden" name="{}" value="{}">').format(FIELD, csrf_token())


def csrf_meta() -> Markup:
    """Return what lets the scripts of a page send the header; empty for those who have not signed in."""
    if not identity.current().session:
        return Markup("")
    return Markup('<meta name="csrf-token" content="{}">').format(csrf_token())


def _check() -> None:
    asked: Any = request._get_current_object()  # type: ignore[attr-defined]  # each look through a proxy takes 1 us
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
        raise Forbidden("The form has expired: go back, reload the page and try again.", code="csrf_failed")
    if who.session and asked.mimetype in bodies.FORMS:
        _check_still_there(asked, who)


def _check_still_there(asked: Any, who: Identity) -> None:
    """Read the form, and raise Unauthorized when its session has ended, or its rights have changed, meanwhile."""
    _ = asked.form
    if identity.look_again() != who:
        raise Unauthorized("Your session changed in the meantime: sign in again.")


def _from_here(asked: Any, *, signed_in: bool) -> bool:
    """Return whether a page of ours sent it, or of an origin in CORS_ORIGINS; `*` counts for visitors alone."""
    site, origin = asked.headers.get("Sec-Fetch-Site"), asked.headers.get("Origin")
    if site in ("same-origin", "none"):
        return True
    if signed_in and not origin:  # not a browser: only a token shows that it saw a page of ours
        return site is None and _has_token(asked)
    others = current_settings().cors_origins
    trusted = [other for other in others if other != "*"] if signed_in else others
    return bool(origin or site is None) and origin_check(trusted)(origin, asked.environ)


def _needs_token(asked: Any, *, signed_in: bool) -> bool:
    """Return whether it is a form; programs send those too, to /api and without a session."""
    return asked.mimetype in SIMPLE and (signed_in or not asked.path.startswith(PROGRAM_PATHS))


def _has_token(asked: Any) -> bool:
    bound = _bound_to()
    if not bound:
        return False  # and the form stays unread
    token = asked.headers.get(HEADER) or (asked.form.get(FIELD, "") if asked.mimetype in bodies.FORMS else "")
    salt, given = token[:32], token[32:].encode()
    return any(hmac.compare_digest(_signature(key, salt, bound).encode(), given) for key in signing.secret_keys())


def _bound_to() -> str:
    """Return what tokens are good for: the session, or the cookie of a visitor who has none yet."""
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
    """Return the cookie's name; `__Host-` keeps other hosts of the domain from setting it."""
    return "__Host-csrf" if request.is_secure else "csrf"


def _keep(response: Response) -> Response:
    """Set the cookie that the page's token needs; such a page is nobody else's, so no cache may keep it."""
    kept: Any = g._get_current_object()
    visitor = kept.get("csrf_visitor")
    if visitor is None:
        return response
    response.headers.setdefault("Cache-Control", "no-store")
    if visitor:
        secure = request.is_secure
        response.set_cookie(_cookie_name(), visitor, VISITOR_SECONDS, secure=secure, httponly=True, samesite="Lax")
    return response
