"""Limits how often a client sends events: by connection and event, and by principal over all its connections."""

from collections.abc import Callable
from math import ceil
from typing import Any, TypeVar

from flask import request

from chassis.errors import TooManyRequests
from chassis.limits import MemoryBuckets, Rate, Rates, limiter
from chassis.security import identity, request_rates
from chassis.settings import Settings

H = TypeVar("H", bound=Callable[..., Any])
BUCKETS = "app.rate"

_default: Rates = ()
_shared: Rates = ()
_budgets: dict[tuple[str, str], tuple[str, Rates]] = {}  # of the connections that share one, by sid and namespace


def limit(per_second: float, burst: int = 1) -> Callable[[H], H]:
    """Give an event handler a rate of its own; 0 is no limit. Goes below `@socketio.on`."""

    def decorate(handler: H) -> H:
        handler.rates = _rates(per_second, burst)  # type: ignore[attr-defined]
        return handler

    return decorate


def spend(handler: Callable[..., Any], event: str) -> None:
    """Take a token from this connection's bucket for the event and its principal's; raise TooManyRequests."""
    rates: Rates = getattr(handler, "rates", _default)
    if not (rates or _budgets):
        return
    asked: Any = request._get_current_object()  # type: ignore[attr-defined]  # a proxy access takes 1 us
    if rates and not identity.current().without_limits:
        _spend_own(asked, rates, event)
    if budget := _budgets.get((asked.sid, asked.namespace)):
        verdict = limiter.take(*budget)
        if not verdict.granted:
            raise TooManyRequests(f"Too many events: the limit is {verdict.rate}, over all your connections.")


def _spend_own(asked: Any, rates: Rates, event: str) -> None:
    buckets: MemoryBuckets | None = asked.environ.get(BUCKETS)  # stored as long as the connection lasts
    if buckets is None:
        buckets = asked.environ.setdefault(BUCKETS, MemoryBuckets())
    if not buckets.take((asked.namespace, event), rates).granted:
        (rate,) = rates
        raise TooManyRequests(f"Too many of these events: the limit is {rate.amount / rate.seconds:g} per second.")


def joined() -> None:
    """Let the connecting client share its principal's budget, if the principal has one."""
    who = identity.current()
    if who.without_limits:
        return
    name, rates = request_rates.budget(who)  # a key's own rate applies to HTTP and sockets
    budget = (name, rates) if who.per_second else (f"events {name}", _shared)
    if budget[1]:
        asked: Any = request._get_current_object()  # type: ignore[attr-defined]
        _budgets[asked.sid, asked.namespace] = budget


def left() -> None:
    """Forget the disconnected client."""
    if _budgets:
        asked: Any = request._get_current_object()  # type: ignore[attr-defined]
        _budgets.pop((asked.sid, asked.namespace), None)


def configure(settings: Settings) -> None:
    """Set the default rate of handlers and the rate of principals from the settings."""
    global _default, _shared
    burst, per_second = settings.socket_events_burst, settings.socket_events_per_second_per_principal
    _default = _rates(settings.socket_events_per_second, burst)
    _shared = _rates(per_second, max(burst, ceil(per_second)))


def _rates(per_second: float, burst: int) -> Rates:
    return (Rate.over_time(per_second, burst),) if per_second else ()
