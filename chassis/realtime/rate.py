"""How often a client may send an event: a token bucket for each connection and event name, and one for each principal,
which all of its connections share."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from flask import request

from chassis.errors import TooManyRequests
from chassis.extensions import limiter
from chassis.limiter.rate import Rate as SharedRate
from chassis.limiter.verdict import Rates
from chassis.security import identity, limits
from chassis.settings import Settings

H = TypeVar("H", bound=Callable[..., Any])
BUCKETS = "app.rate"


@dataclass(frozen=True, slots=True)
class Rate:
    """Events in a second over time, and at once; 0 in a second is no limit."""

    per_second: float
    burst: int


_default = Rate(0, 0)
_shared: Rates = ()
_budgets: dict[tuple[str, str], tuple[str, Rates]] = {}  # of the connections that share one, by sid and namespace


def limit(per_second: float, burst: int = 1) -> Callable[[H], H]:
    """Give a handler a rate of its own; goes below `@socketio.on`."""

    def decorate(handler: H) -> H:
        handler.rate = Rate(per_second, burst)  # type: ignore[attr-defined]
        return handler

    return decorate


def spend(handler: Callable[..., Any], event: str) -> None:
    """Take a token of this connection for this event, and one of its principal's; raise TooManyRequests without."""
    rate = getattr(handler, "rate", None) or _default
    if not (rate.per_second or _budgets):
        return
    asked: Any = request._get_current_object()  # type: ignore[attr-defined]  # each look through a proxy takes 1 us
    if rate.per_second and not identity.current().without_limits:
        _spend_own(asked, rate, event)
    if budget := _budgets.get((asked.sid, asked.namespace)):
        verdict = limiter.take(*budget)
        if not verdict.granted:
            raise TooManyRequests(f"Too many events: {verdict.rate} may be sent, over all your connections.")


def _spend_own(asked: Any, rate: Rate, event: str) -> None:
    buckets = asked.environ.setdefault(BUCKETS, {})  # lives as long as the connection
    now = time.monotonic()
    name = (asked.namespace, event)
    tokens, filled = buckets.get(name, (rate.burst, now))
    tokens = min(rate.burst, tokens + (now - filled) * rate.per_second)
    if tokens < 1:
        raise TooManyRequests(f"Too many of these events: {rate.per_second:g} a second may be sent.")
    buckets[name] = (tokens - 1, now)


def joined() -> None:
    """Let the client of this event, who connects, share the budget of its principal, where that has one."""
    who = identity.current()
    if who.without_limits:
        return
    name, rates = limits.budget(who)  # a key's own rate counts at both doors
    budget = (name, rates) if who.per_second else (f"events {name}", _shared)
    if budget[1]:
        asked: Any = request._get_current_object()  # type: ignore[attr-defined]
        _budgets[asked.sid, asked.namespace] = budget


def left() -> None:
    """Forget the client of this event, who is gone."""
    if _budgets:
        asked: Any = request._get_current_object()  # type: ignore[attr-defined]
        _budgets.pop((asked.sid, asked.namespace), None)


def configure(settings: Settings) -> None:
    """Take from the settings the rate of handlers that have none of their own, and that of principals."""
    global _default, _shared
    _default = Rate(settings.socket_events_per_second, settings.socket_events_burst)
    per_second = settings.socket_events_per_second_per_principal
    _shared = (SharedRate.over_time(per_second, settings.socket_events_burst),) if per_second else ()
