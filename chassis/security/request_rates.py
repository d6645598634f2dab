"""Rates of requests: counted by key, by account, or by address."""

import math
from collections.abc import Callable
from typing import Any, TypeVar

import structlog
from flask import Flask, Response, current_app, g, request

from chassis.errors import AppError, TooManyRequests
from chassis.limits import Rate, Rates, Verdict, limiter
from chassis.security import guard, guessing, identity
from chassis.security.identity import ANONYMOUS, Environ, Identity
from chassis.security.keyring import keyring
from chassis.security.proxies import limited_as
from chassis.settings import Settings

__all__ = ["limit"]

F = TypeVar("F", bound=Callable[..., Any])
OWN_RATES = "own_rates"
UNLIMITED = ("health.", "metrics.")  # endpoints that must answer even under load
HEADERS = ("RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset")  # as draft-ietf-httpapi-ratelimit-headers-07

log = structlog.get_logger(__name__)
_default: Rates = ()


def limit(*rates: str) -> Callable[[F], F]:
    """Give a view rates of its own, as in `limit("5 per minute")`, counted apart; `limit()` is no limit.

    Place it below `@app.get` and the like. Raises ValueError when a text is not a rate.
    """
    own = tuple(Rate.parse(rate) for rate in rates)

    def decorate(view: F) -> F:
        setattr(view, OWN_RATES, own)
        return view

    return decorate


def install(app: Flask, settings: Settings) -> None:
    """Count every request except those for health, metrics and static files."""
    global _default
    _default = settings.request_rates
    limiter.configure(settings.redis_url.get_secret_value())
    guessing.configure(settings)
    app.before_request(_count)
    app.after_request(_tell)


def budget(who: Identity) -> tuple[str, Rates]:
    """Return the name that a principal's requests are counted under, and its rates; a key may have its own rate."""
    name = _of_address(who.id) if who.kind == ANONYMOUS else who.principal
    if who.without_limits:
        return name, ()
    return name, (Rate.over_time(who.per_second),) if who.per_second else _default


def count_handshake(environ: Environ) -> None:
    """Count a handshake, which starts no Flask request, for its address; raise TooManyRequests above the limit.

    Only a key without limits is exempt: any other identity is known later, when the socket joins.
    """
    if not _default or keyring.without_limits(environ):
        return
    verdict = _taken(_of_address(environ.get("REMOTE_ADDR") or ""), _default)
    if verdict is not None and not verdict.granted:
        raise _refusal(verdict)


def _count() -> None:
    asked: Any = request._get_current_object()  # type: ignore[attr-defined]  # a proxy access takes 1 us
    endpoint: str = asked.endpoint or ""
    if endpoint.startswith(UNLIMITED) or endpoint.rpartition(".")[2] == "static":
        return
    own: Rates | None = getattr(current_app.view_functions.get(endpoint), OWN_RATES, None)
    who = _who(asked)
    name, rates = budget(who)
    if own is not None and not who.without_limits:
        name, rates = f"{endpoint} {name}", own
    if not rates:
        return
    if (verdict := _taken(name, rates)) is None:
        return
    g._get_current_object().limit = verdict
    if not verdict.granted:
        raise _refusal(verdict)


def _of_address(address: str) -> str:
    return f"{ANONYMOUS}:{limited_as(address)}"


def _taken(name: str, rates: Rates) -> Verdict | None:
    """Take one token; return None when that fails, since a client must not suffer for it."""
    try:
        return limiter.take(name, rates)
    except Exception:
        log.exception("limiter_failed")
        return None


def _refusal(verdict: Verdict) -> TooManyRequests:
    return TooManyRequests(
        f"Too many requests: the limit is {verdict.rate}. Wait a moment and try again.",
        retry_after_seconds=verdict.wait_seconds,
    )


def _who(asked: Any) -> Identity:
    """Return the current identity; a public view accepts a wrong key too, as a visitor."""
    try:
        return identity.current()
    except AppError:
        if guard.needed(asked) != guard.NOTHING:
            raise
        return identity.current()


def _tell(response: Response) -> Response:
    verdict: Verdict | None = g._get_current_object().get("limit")
    if verdict is not None:
        told = (verdict.rate.amount, verdict.remaining, math.ceil(verdict.full_in_seconds))
        for name, value in zip(HEADERS, told, strict=True):
            response.headers.add(name, str(value))
    return response
