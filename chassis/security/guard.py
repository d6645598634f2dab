"""Authorises every request: a view is `public`, or needs a scope."""

from collections.abc import Callable
from typing import Any, TypeVar

from flask import Flask, current_app, request

from chassis.errors import AppError, Forbidden, Unauthorized
from chassis.security import identity
from chassis.security.identity import ADMIN, READ, SUBMIT
from chassis.security.networks import allowed
from chassis.wiring import current_settings

F = TypeVar("F", bound=Callable[..., Any])
NEEDED = "needed_scope"
NOTHING = ""
UNFINISHED = "sign_in_unfinished"
ADMIN_PATHS = ("/admin",)
READING = ("GET", "HEAD", "OPTIONS")


def needs(scope: str) -> Callable[[F], F]:
    """Set the scope that a view or socket handler needs; the default is `read` for reading and `submit` otherwise."""

    def decorate(function: F) -> F:
        setattr(function, NEEDED, scope)
        return function

    return decorate


def public(function: F) -> F:
    """Mark a view that everybody may use, without an identity."""
    return needs(NOTHING)(function)


def install(app: Flask) -> None:
    """Check every request."""
    app.before_request(_ask)


def check(scope: str) -> None:
    """Raise Unauthorized or Forbidden when the current identity lacks the scope."""
    who = identity.current()
    if scope == NOTHING or who.may(scope):
        return
    raise refusal(who, scope)


def check_admin(address: str | None) -> None:
    """Raise AppError when the current identity is not an admin, or its address is outside of ADMIN_ALLOW."""
    settings = current_settings()
    if not allowed(address, settings.admin_allow):
        raise Forbidden("The admin pages are open only to the networks in ADMIN_ALLOW.")
    check(ADMIN)


def refusal(who: identity.Identity, scope: str) -> AppError:
    """Return the error for an identity that lacks a scope."""
    if who.gate:
        return Unauthorized(f"Finish signing in at {who.gate}.", code=UNFINISHED)
    if who.kind == identity.ANONYMOUS:
        return Unauthorized("Please sign in, or send an API key as X-API-Key.")
    return Forbidden(f"This needs the scope {scope!r}.", code="missing_scope")


def _ask() -> None:
    asked: Any = request._get_current_object()  # type: ignore[attr-defined]  # a proxy access takes 1 us
    scope = needed(asked)
    if scope == ADMIN:
        check_admin(asked.remote_addr)
    elif scope != NOTHING:
        check(scope)


def needed(asked: Any) -> str:
    """Return the scope that a request needs; empty for public views."""
    view = current_app.view_functions.get(asked.endpoint)
    if asked.path.startswith(ADMIN_PATHS):
        return ADMIN
    if view is None or asked.endpoint.rpartition(".")[2] == "static":
        return NOTHING
    declared: str | None = getattr(view, NEEDED, None)
    return (READ if asked.method in READING else SUBMIT) if declared is None else declared
