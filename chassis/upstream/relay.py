"""Passes requests on to one of several APIs, or to another one if it fails before the first byte of its answer."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from chassis.errors import AppError, NotFound, TooManyRequests, Unavailable
from chassis.limits import FairQueue
from chassis.upstream.breaker import RetryBudget
from chassis.upstream.connections import WireLimits
from chassis.upstream.errors import Cancelled
from chassis.upstream.pool import Member, choose
from chassis.upstream.race import Race
from chassis.upstream.relayed import Failed, Relayed, told
from chassis.upstream.waiting import Check
from chassis.upstream.wire import WIRE_ERRORS


class NoBackend(Unavailable):
    """No API can answer now."""

    code = "no_backend"

    def __init__(self, message: str, retry_after_seconds: float = 1.0) -> None:
        super().__init__(message)
        self.retry_after_seconds = max(1.0, retry_after_seconds)


@dataclass
class Asked:
    """A request: `key` waits in its own line, `having()` are the members that could answer, `tried` those asked."""

    path: str
    body: bytes
    key: str
    having: Callable[[], list[Member]]
    cancelled: Check
    hides_usage: bool = False  # events of usage alone, which the client did not ask for
    tried: list[Member] = field(default_factory=list)

    def able(self) -> list[Member]:
        """Return the healthy members that were not tried, busy or not."""
        tried = {one.id for one in self.tried}
        return [one for one in self.having() if one.id not in tried and one.breaker.allows()]


@dataclass(frozen=True)
class RelayLimits:
    """How long a call may take, and its answer pause; how often it is repeated; and how it waits when all are busy.

    `retry_share` is the share of retries among the calls, `wait_seconds` the longest Retry-After. A call that has no
    answer after `hedge_seconds` is sent to a second member as well; 0 turns that off. The other limits are those of
    `FairQueue`.
    """

    seconds: float
    idle_seconds: float
    retries: int
    retry_share: float
    wait_seconds: float
    queue_seconds: float
    queue_per_key: int
    queue_most: int
    hedge_seconds: float = 0.0


class Relay:
    """Passes requests on; `changed(member)` is called when a call has opened or closed a breaker."""

    def __init__(self, limits: RelayLimits, changed: Callable[[Member], None]) -> None:
        self.queue: FairQueue[Member] = FairQueue(
            seconds=limits.queue_seconds, per_key=limits.queue_per_key, most=limits.queue_most
        )
        self._budget, self._limits, self._changed = RetryBudget(limits.retry_share), limits, changed

    def ask(self, asked: Asked, failed_over: Callable[[Member], None]) -> Relayed:
        """Return the answer of the first member that does not fail; `end` it, or read its events.

        `failed_over(member)` is called for each member that failed and was not the last. Raises AppError or Cancelled.
        """
        self._budget.called()
        while True:
            member = self.queue.take(asked.key, lambda: choose(asked.able()), partial(self._check, asked))
            asked.tried.append(member)
            try:
                if self._limits.hedge_seconds:
                    return self._hedged(member, asked, failed_over)
                return self._attempt(asked, member, asked.cancelled)
            except Failed as failure:
                if not self._may_repeat(asked):
                    raise _given_up(asked, failure) from None
            failed_over(member)

    def _may_repeat(self, asked: Asked) -> bool:
        return len(asked.tried) <= self._limits.retries and bool(asked.able()) and self._budget.take()

    def _hedged(self, first: Member, asked: Asked, failed_over: Callable[[Member], None]) -> Relayed:
        """Ask a member, and a second one if the first takes long; return the first good answer."""
        race, found = Race(partial(self._attempt, asked), asked.cancelled), None
        race.start(first)
        try:
            found = race.wait(self._limits.hedge_seconds)
            if found is None:
                if self._may_repeat(asked) and (second := self.queue.spare(lambda: choose(asked.able()))):
                    asked.tried.append(second)
                    race.start(second)
                found = race.wait()
            assert found is not None
            return found
        finally:
            for one in race.failed:
                if found is not None or one is not first:  # else the caller of this tells of the first
                    failed_over(one)

    def _attempt(self, asked: Asked, member: Member, cancelled: Check) -> Relayed:
        limits = WireLimits(self._limits.seconds, self._limits.idle_seconds, cancelled)
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

    def _back(self, member: Member, failed: bool | None) -> None:
        """Take a member back after a call, which may have opened or closed its breaker."""

        def back() -> None:
            member.in_flight -= 1

        self.queue.freed(back)
        breaker = member.breaker
        if failed is None:
            breaker.ended()
        elif breaker.failed() if failed else breaker.succeeded():
            self._changed(member)

    def _check(self, asked: Asked) -> None:
        """Raise when it is no use to wait: no member could answer, none is healthy, or the client has gone."""
        if asked.cancelled():
            raise Cancelled
        if asked.able():
            return
        if not (having := asked.having()):
            raise NotFound("No backend has this model.", code="model_not_found")
        states = ", ".join(f"{one.name}: {one.breaker.state}, {one.spec.detail}" for one in having)
        wait = min(one.breaker.open_until for one in having) - time.time()
        raise NoBackend(f"No backend is healthy ({states}).", min(wait, self._limits.wait_seconds))


def _given_up(asked: Asked, failure: Failed) -> AppError:
    if failure.status == 429:
        return TooManyRequests("The backends accept no more requests.", retry_after_seconds=failure.wait_seconds)
    if failure.status == 404:
        return NotFound("No backend has this model at this address.", code="model_not_found")
    return NoBackend(f"The last of {len(asked.tried)} backends failed: {failure}.")
