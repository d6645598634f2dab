"""The client of the outside API: rate-limited, bounded, with retries, and shared by all jobs of the process."""

import itertools
import random
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import requests

from chassis.limits import Buckets
from chassis.limits.limiter import Limiter
from chassis.limits.places import Places
from chassis.observability import tracing
from chassis.observability.metrics import (
    UPSTREAM_CALLS,
    UPSTREAM_IN_FLIGHT,
    UPSTREAM_LATENCY,
    UPSTREAM_RATE_LIMITED,
    UPSTREAM_RETRIES,
)
from chassis.settings import Settings
from chassis.upstream import answers
from chassis.upstream.answers import Completion
from chassis.upstream.errors import Cancelled, UpstreamError
from chassis.upstream.outage import Outage
from chassis.upstream.pace import Pace
from chassis.upstream.replies import Reply, TooLarge, receive, too_large
from chassis.upstream.session import Bearer, Patience, new_session, patience
from chassis.upstream.slots import Slots
from chassis.upstream.waiting import Check, never, sleep

CONNECT_TIMEOUT_SECONDS = 10.0
BACKOFF_BASE_SECONDS = 0.5
BACKOFF_CAP_SECONDS = 30.0


@dataclass(frozen=True)
class _Setup:
    url: str
    model: str
    key: str
    timeout_seconds: float
    max_response_bytes: int
    max_retries: int
    outage_seconds: float
    connections: int
    session: requests.Session


class UpstreamClient:
    """Calls an OpenAI-compatible API; its threads share one rate and one limit of concurrent calls.

    The rate holds over all processes with Redis, and both hold over the workers of a machine that call `share`.
    """

    def __init__(self) -> None:
        self._setup: _Setup | None = None
        self._pace, self._slots, self._outage = Pace(1), Slots(1), Outage()
        self._limiter = Limiter()
        self._numbers = itertools.count()

    def configure(self, settings: Settings) -> None:
        """Apply the settings; can be called again at any time, and also affects waiting calls."""
        old, connections = self._setup, settings.upstream_max_concurrent_requests
        kept = old.session if old and old.connections == connections else None
        self._setup = _Setup(
            url=settings.upstream_base_url.rstrip("/") + "/chat/completions",
            model=settings.upstream_model,
            key=settings.openrouter_api_key.get_secret_value(),
            timeout_seconds=settings.upstream_timeout_seconds,
            max_response_bytes=settings.upstream_max_response_bytes,
            max_retries=settings.upstream_max_retries,
            outage_seconds=settings.upstream_outage_seconds,
            connections=connections,
            session=kept or new_session(connections),
        )
        self._limiter.configure(settings.redis_url.get_secret_value())
        self._set_pace(settings.upstream_requests_per_second, settings.upstream_burst)
        self._slots.resize(connections)
        if old and not kept:
            old.session.close()

    def share(self, settings: Settings, pace: Buckets, calls: Places) -> None:
        """Count calls together with the other workers of this machine."""
        self._limiter.share(pace)
        self._set_pace(settings.upstream_requests_per_second, settings.upstream_burst)
        self._slots.share(calls)

    def _set_pace(self, per_second: float, burst: int) -> None:
        self._pace.configure(per_second, burst, self._limiter if self._limiter.shares else None)

    def state(self) -> dict[str, Any]:
        """Return this process' calls for an operator; without the key, and only the host of the address."""
        setup, (taken, limit, lined_up) = self._current(), self._slots.counts()
        paced, paused = self._pace.state()
        return {
            "host": urlsplit(setup.url).hostname or "",
            "model": setup.model,
            "has_key": bool(setup.key),
            "in_flight": taken,
            "limit": limit,
            "waiting": lined_up + paced,
            "paused_seconds": round(paused, 1),
            "problem": self.problem(),
        }

    def problem(self) -> str | None:
        """Return why this process considers the API down, or None."""
        return self._outage.problem()

    def complete(self, prompt: str, *, cancelled: Check = never) -> Completion:
        """Return the model's answer to `prompt`.

        Raises UpstreamError if it failed finally, and Cancelled within half a second after `cancelled()` turns true,
        whatever it is waiting for (only opening a connection is not interrupted: 10 s at most).
        """
        attempt, number = 1, next(self._numbers)
        while True:
            try:
                return self._attempt(prompt, attempt, number, cancelled)
            except UpstreamError as error:
                error.attempts = attempt
                if not (error.retryable and self._may_try_again(attempt)):
                    raise
            sleep(backoff_seconds(attempt), cancelled)
            attempt += 1
            UPSTREAM_RETRIES.inc()

    def _may_try_again(self, attempt: int) -> bool:
        """Return whether to retry: up to the maximum, and during an outage longer, since giving up would lose work."""
        setup = self._current()
        return attempt <= setup.max_retries or self._outage.shorter_than(setup.outage_seconds)

    def _attempt(self, prompt: str, attempt: int, number: int, cancelled: Check) -> Completion:
        with self._slots.hold(cancelled):
            # Wait for the token after the slot: otherwise calls that waited for a slot would start in bursts.
            self._pace.wait(cancelled)
            setup, outcome = self._current(), "ok"
            try:
                reply = _send(setup, prompt, cancelled)
                done = answers.read(reply, model=setup.model, attempts=attempt, key=setup.key)
                self._outage.answered()
                return done
            except UpstreamError as error:
                outcome = error.code.removeprefix("upstream_")
                self._heed(error, number)
                raise
            except Cancelled:
                outcome = "cancelled"
                raise
            finally:
                UPSTREAM_CALLS.labels(outcome).inc()

    def _heed(self, error: UpstreamError, number: int) -> None:
        self._outage.failed(number, error)
        if error.code == "upstream_rate_limited":
            UPSTREAM_RATE_LIMITED.inc()
        if error.retry_after:
            self._pace.pause(error.retry_after)

    def _current(self) -> _Setup:
        if self._setup is None:
            raise RuntimeError("call configure(settings) before complete()")
        return self._setup


def backoff_seconds(attempt: int) -> float:
    """Return how long to wait after a failed attempt: full jitter under a doubling bound.

    See https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/.
    """
    return random.uniform(0, min(BACKOFF_CAP_SECONDS, BACKOFF_BASE_SECONDS * 2 ** (attempt - 1)))


def _send(setup: _Setup, prompt: str, cancelled: Check) -> Reply:
    if not (setup.key.isascii() and setup.key.isprintable()):  # the library's own error would show the key
        raise UpstreamError(
            "upstream_unauthorized", "OPENROUTER_API_KEY contains characters that are not valid in a key."
        )
    seconds = setup.timeout_seconds
    measured = {"kind": "client", "http.request.method": "POST", "url.full": setup.url}
    with (
        patience(seconds, cancelled, setup.max_response_bytes) as limits,
        UPSTREAM_IN_FLIGHT.track_inprogress(),
        UPSTREAM_LATENCY.time(),
        tracing.child("POST", measured),
    ):
        try:
            with setup.session.post(
                setup.url,
                headers=tracing.headers(),
                json={"model": setup.model, "messages": [{"role": "user", "content": prompt}]},
                auth=Bearer(setup.key),
                timeout=(min(CONNECT_TIMEOUT_SECONDS, seconds), seconds),
                allow_redirects=False,  # the key must only be sent to the configured host
                stream=True,
            ) as response:
                tracing.note({"http.response.status_code": response.status_code})
                return receive(response, setup.max_response_bytes)
        except TooLarge:
            raise too_large(setup.max_response_bytes) from None
        except requests.RequestException as error:
            raise _broken(error, limits, seconds) from error


def _broken(error: requests.RequestException, limits: Patience, seconds: float) -> UpstreamError:
    if isinstance(error, requests.exceptions.ContentDecodingError):
        return UpstreamError("upstream_malformed", "The outside API returned an answer that cannot be decoded.")
    if isinstance(error, requests.Timeout) or limits.over:
        message = f"The outside API did not answer within {seconds:g} seconds."
        return UpstreamError("upstream_timeout", message, retryable=True)
    if isinstance(error, requests.ConnectionError | requests.exceptions.ChunkedEncodingError):
        message = "The connection to the outside API failed or was interrupted."
        return UpstreamError("upstream_unavailable", message, retryable=True)
    return UpstreamError("upstream_rejected", "The request could not be sent; check UPSTREAM_BASE_URL.")
