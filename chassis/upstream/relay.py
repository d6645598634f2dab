"""Passes requests on to one of several APIs, or to another one if it fails before the first byte of its answer."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Generic

from chassis.errors import AppError, NotFound, TooManyRequests, Unavailable
from chassis.limits import FairQueue
from chassis.upstream.breaker import RetryBudget
from chassis.upstream.errors import Cancelled
from chassis.upstream.pool import M, choose
from chassis.upstream.relayed import Failed, Relayed, told
from chassis.upstream.waiting import Check
from chassis.upstream.wire import WIRE_ERRORS, WireLimits


class NoBackend(Unavailable):
    """No API can answer now."""

    code = "no_backend"

    def __init__(self, message: str, retry_after_seconds: float = 1.0) -> None:
        super().__init__(message)
        self.retry_after_seconds = max(1.0, retry_after_seconds)


@dataclass
class Asked(Generic[M]):
    """A request: `key` waits in its own line, `having()` are the members that could answer, `tried` those asked."""

    path: str
    body: bytes
    key: str
    having: Callable[[], list[M]]
    cancelled: Check
    hides_usage: bool = False  # events of usage alone, which the client did not ask for
    tried: list[M] = field(default_factory=list)

    def able(self) -> list[M]:
        """Return the healthy members that were not tried, busy or not."""
        tried = {one.id for one in self.tried}
        return [one for one in self.having() if one.id not in tried and one.breaker.allows()]


@dataclass(frozen=True)
class RelayLimits:
    """How long a call may take and its answer pause, how often it is repeated, and the longest Retry-After."""

    seconds: float
    idle_seconds: float
    retries: int
    wait_seconds: float


class Relay(Generic[M]):
    """Passes requests on; `changed(member)` is called when a call has opened or closed a breaker."""

    def __init__(
        self, queue: FairQueue[M], budget: RetryBudget, limits: RelayLimits, changed: Callable[[M], None]
    ) -> None:
        self.queue, self._budget, self._limits, self._changed = queue, budget, limits, changed

    def ask(self, asked: Asked[M], failed_over: Callable[[M], None]) -> Relayed[M]:
        """Return the answer of the first member that does not fail; `end` it, or read its events.

        `failed_over(member)` is called for each member after which another is asked. Raises AppError or Cancelled.
        """
        self._budget.called()
        while True:
            member = self.queue.take(asked.key, lambda: choose(asked.able()), partial(self._check, asked))
            asked.tried.append(member)
            try:
                return self._attempt(member, asked)
            except Failed as failure:
                if len(asked.tried) > self._limits.retries or not asked.able() or not self._budget.take():
                    raise _given_up(asked, failure) from None
            failed_over(member)

    def _attempt(self, member: M, asked: Asked[M]) -> Relayed[M]:
        limits = WireLimits(self._limits.seconds, self._limits.idle_seconds, asked.cancelled)
        relayed = Relayed(member, self._back, hides_usage=asked.hides_usage)
        try:
            relayed.begin(asked.path, asked.body, limits)
        except WIRE_ERRORS as error:
            relayed.end(failed=True)
            raise Failed(told(error)) from error
        except Failed as error:
            relayed.end(failed=error.ill or None)
            raise
        except BaseException:
            relayed.end(failed=None)
            raise
        if member.breaker.succeeded():
            self._changed(member)
        return relayed

    def _back(self, member: M, failed: bool | None) -> None:
        """Take a member back after a call, which may have opened or closed its breaker."""

        def back() -> None:
            member.in_flight -= 1

        self.queue.freed(back)
        breaker = member.breaker
        if failed is None:
            breaker.ended()
        elif breaker.failed() if failed else breaker.succeeded():
            self._changed(member)

    def _check(self, asked: Asked[M]) -> None:
        """Raise when it is no use to wait: no member could answer, none is healthy, or the client has gone."""
        if asked.cancelled():
            raise Cancelled
        if asked.able():
            return
        if not (having := asked.having()):
            raise NotFound("No backend has this model.", code="model_not_found")
        states = ", ".join(f"{one.name}: {one.breaker.state}, {one.detail}" for one in having)
        wait = min(one.breaker.open_until for one in having) - time.time()
        raise NoBackend(f"No backend is healthy ({states}).", min(wait, self._limits.wait_seconds))


def _given_up(asked: Asked[M], failure: Failed) -> AppError:
    if failure.status == 429:
        return TooManyRequests("The backends accept no more requests.", retry_after_seconds=failure.wait_seconds)
    if failure.status == 404:
        return NotFound("No backend has this model at this address.", code="model_not_found")
    return NoBackend(f"The last of {len(asked.tried)} backends failed: {failure}.", failure.wait_seconds)
