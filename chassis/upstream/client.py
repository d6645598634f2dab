"""The client of the outside API: rate-limited, bounded, with retries, and shared by all jobs of the process."""

import itertools
import random
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from typing import Any, TypeVar
from urllib.parse import urlsplit

from chassis.limits import Buckets
from chassis.limits.limiter import Limiter
from chassis.limits.places import Places
from chassis.observability.metrics import UPSTREAM_CALLS, UPSTREAM_RATE_LIMITED, UPSTREAM_RETRIES
from chassis.settings import Settings
from chassis.upstream import answers, embeddings, streaming
from chassis.upstream.answers import Completion
from chassis.upstream.calls import Call, Prompt, size
from chassis.upstream.errors import Cancelled, UpstreamError
from chassis.upstream.metering import Meter, Metering, unmetered
from chassis.upstream.outage import Outage
from chassis.upstream.pace import Pace
from chassis.upstream.sending import Setup, send
from chassis.upstream.session import environment, new_session
from chassis.upstream.slots import Slots
from chassis.upstream.streaming import Part
from chassis.upstream.usage import Usage
from chassis.upstream.waiting import Check, never, sleep

T = TypeVar("T")
Asked = Call | embeddings.EmbeddingCall
BACKOFF_BASE_SECONDS = 0.5
BACKOFF_CAP_SECONDS = 30.0


class UpstreamClient:
    """Calls an OpenAI-compatible API; its threads share one rate and one limit of concurrent calls.

    The rate holds over all processes with Redis, and both hold over the workers of a machine that call `share`.
    """

    def __init__(self) -> None:
        self._setup: Setup | None = None
        self._pace, self._slots, self._outage = Pace(1), Slots(1), Outage()
        self._limiter = Limiter()
        self._numbers = itertools.count()
        self._metered: Metering = unmetered

    def configure(self, settings: Settings) -> None:
        """Apply the settings; can be called again at any time, and also affects waiting calls."""
        old, connections = self._setup, settings.upstream_max_concurrent_requests
        kept = old.session if old and old.connections == connections else None
        base, session = settings.upstream_base_url.rstrip("/"), kept or new_session(connections)
        self._setup = Setup(
            url=f"{base}/chat/completions",
            embeddings_url=f"{base}/embeddings",
            model=settings.upstream_model,
            key=settings.openrouter_api_key.get_secret_value(),
            timeout_seconds=settings.upstream_timeout_seconds,
            first_part_seconds=settings.upstream_first_part_timeout_seconds,
            idle_seconds=settings.upstream_idle_timeout_seconds,
            stream_seconds=settings.upstream_stream_seconds,
            stream_usage=settings.upstream_stream_usage,
            max_response_bytes=settings.upstream_max_response_bytes,
            max_retries=settings.upstream_max_retries,
            outage_seconds=settings.upstream_outage_seconds,
            connections=connections,
            session=session,
            environment=environment(session, base),
        )
        self._limiter.configure(settings.redis_url.get_secret_value())
        self._set_pace(settings.upstream_requests_per_second, settings.upstream_burst)
        self._slots.resize(connections)
        if old and not kept:
            old.session.close()

    def meter(self, metered: Metering) -> None:
        """Let each attempt run within `metered(model, bytes of the input, seconds)`, which charges for it."""
        self._metered = metered

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

    def complete(
        self,
        prompt: Prompt,
        model: str | None = None,
        parameters: Mapping[str, Any] | None = None,
        *,
        cancelled: Check = never,
    ) -> Completion:
        """Return the model's answer to a text or to the messages of a conversation.

        `model` replaces UPSTREAM_MODEL; `parameters` go into the request, such as `{"temperature": 0}`. Raises
        UpstreamError if it failed finally, and Cancelled within half a second after `cancelled()` turns true,
        whatever it is waiting for (only opening a connection is not interrupted: 10 s at most).
        """
        call, number = Call(prompt, model, parameters or {}), next(self._numbers)
        return self._tried(lambda attempt: self._attempt(call, attempt, number, cancelled), cancelled)

    def embed(self, texts: Sequence[str], model: str, *, cancelled: Check = never) -> list[list[float]]:
        """Return a vector of each text by the API's `/embeddings`, in order; its tokens have the price of the index.

        Raises what `complete` does.
        """
        call, number = embeddings.EmbeddingCall(texts, model), next(self._numbers)
        return self._tried(lambda _: self._embedded(call, number, cancelled), cancelled) if texts else []

    def stream(
        self,
        prompt: Prompt,
        model: str | None = None,
        parameters: Mapping[str, Any] | None = None,
        *,
        cancelled: Check = never,
    ) -> Generator[Part]:
        """Yield the parts of the model's answer as they come; `done` of the last one is the whole answer.

        Takes and raises what `complete` does, and retries like it until the first part has been yielded, never after
        it. An UpstreamError after it has the text so far in `text`: an answer is whole only when a part with `done`
        came. Closing the generator ends the call at once.
        """
        call, number = Call(prompt, model, parameters or {}), next(self._numbers)
        for attempt in itertools.count(1):
            begun = False
            try:
                with closing(self._streamed(call, attempt, number, cancelled)) as parts:
                    for part in parts:
                        begun = True
                        yield part
                return
            except UpstreamError as error:
                self._check_retry(error, attempt, begun=begun)
            self._back_off(attempt, cancelled)

    def _tried(self, work: Callable[[int], T], cancelled: Check) -> T:
        """Return `work(attempt)`, retried after errors that may pass."""
        for attempt in itertools.count(1):
            try:
                return work(attempt)
            except UpstreamError as error:
                self._check_retry(error, attempt)
            self._back_off(attempt, cancelled)
        raise AssertionError  # the loop has no end

    def _check_retry(self, error: UpstreamError, attempt: int, *, begun: bool = False) -> None:
        """Raise the error unless the call may be retried."""
        error.attempts = attempt
        if begun or not (error.retryable and self._may_try_again(attempt)):
            raise error

    def _back_off(self, attempt: int, cancelled: Check) -> None:
        sleep(backoff_seconds(attempt), cancelled)
        UPSTREAM_RETRIES.inc()

    def _may_try_again(self, attempt: int) -> bool:
        """Return whether to retry: up to the maximum, and during an outage longer, since giving up would lose work."""
        setup = self._current()
        return attempt <= setup.max_retries or self._outage.shorter_than(setup.outage_seconds)

    def _attempt(self, call: Call, attempt: int, number: int, cancelled: Check) -> Completion:
        with self._turn(call, number, cancelled, self._current().timeout_seconds) as (setup, meter):
            reply = send(setup, call, cancelled)
            done = answers.read(reply, model=call.model or setup.model, attempts=attempt, key=setup.key)
            meter.used(done.usage, output_bytes=size(done.text))
            return done

    def _embedded(self, call: embeddings.EmbeddingCall, number: int, cancelled: Check) -> list[list[float]]:
        with self._turn(call, number, cancelled, self._current().timeout_seconds) as (setup, meter):
            done = embeddings.embed(setup, call, cancelled)
            meter.indexed(done.usage)
            return done.vectors

    def _streamed(self, call: Call, attempt: int, number: int, cancelled: Check) -> Generator[Part]:
        sent = 0
        with (
            self._turn(call, number, cancelled, self._current().stream_seconds) as (setup, meter),
            closing(streaming.stream(setup, call, attempt, cancelled)) as parts,
        ):
            for part in parts:
                sent += size(part.text)
                used = part.done.usage if part.done else Usage()
                meter.used(used, output_bytes=sent)  # also of an answer that is stopped
                yield part

    @contextmanager
    def _turn(self, call: Asked, number: int, cancelled: Check, seconds: float) -> Iterator[tuple[Setup, Meter]]:
        """Hold a slot and take a token of the pace for an attempt, which is metered and counted by its outcome."""
        with self._slots.hold(cancelled), self._metering(call, seconds) as meter:
            # Wait for the token after the slot: otherwise calls that waited for a slot would start in bursts.
            self._pace.wait(cancelled)
            outcome = "ok"
            try:
                yield self._current(), meter
                self._outage.answered()
            except UpstreamError as error:
                outcome = error.code.removeprefix("upstream_")
                self._heed(error, number)
                raise
            except (Cancelled, GeneratorExit):
                outcome = "cancelled"
                raise
            finally:
                UPSTREAM_CALLS.labels(outcome).inc()

    def _metering(self, call: Asked, seconds: float) -> AbstractContextManager[Meter]:
        model = call.model or self._current().model
        return self._metered(model, call.input_bytes, seconds, call.output_tokens, index=call.index)

    def _heed(self, error: UpstreamError, number: int) -> None:
        self._outage.failed(number, error)
        if error.code == "upstream_rate_limited":
            UPSTREAM_RATE_LIMITED.inc()
        if error.retry_after:
            self._pace.pause(error.retry_after)

    def _current(self) -> Setup:
        if self._setup is None:
            raise RuntimeError("call configure(settings) before complete()")
        return self._setup


def backoff_seconds(attempt: int) -> float:
    """Return how long to wait after a failed attempt: full jitter under a doubling bound.

    See https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/.
    """
    return random.uniform(0, min(BACKOFF_CAP_SECONDS, BACKOFF_BASE_SECONDS * 2 ** (attempt - 1)))
