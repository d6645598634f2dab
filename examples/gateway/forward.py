"""Passes a request on to a backend, or to another one if it fails before the first byte, and the answer back."""

import json
from collections.abc import Iterator
from typing import Any

from flask import Response, request
from pydantic_core import from_json

from app.features.gateway.calls import Call
from app.features.gateway.gateway import Gateway
from app.features.gateway.pool import Member
from chassis.base import excerpt
from chassis.errors import AppError, NotFound, TooManyRequests, Unavailable
from chassis.realtime import End, Stopped
from chassis.upstream import WIRE_ERRORS, Cancelled, EventReader, WireAnswer, WireLimits
from chassis.web import is_gone, sse

MAX_EVENT_BYTES = 2_000_000
DONE = "[DONE]"
OURS = (401, 402, 403, 404, 407)  # the gateway's own key or address is wrong there, not what the client sent
RETRYABLE = (408, 425, 429)


class NoBackend(Unavailable):
    """No backend can answer now."""

    code = "no_backend"

    def __init__(self, message: str, retry_after_seconds: float = 1.0) -> None:
        super().__init__(message)
        self.retry_after_seconds = max(1.0, retry_after_seconds)


class Failed(Exception):
    """One backend failed, before anything was sent to the client; `ill` says whether that is a sign of bad health."""

    def __init__(self, reason: str, *, ill: bool = True, wait_seconds: float | None = None) -> None:
        super().__init__(reason)
        self.ill, self.wait_seconds = ill, wait_seconds


class Forwarding:
    """A request on its way."""

    def __init__(self, gateway: Gateway, call: Call) -> None:
        self._gateway, self._call = gateway, call
        self._gone = _watcher()
        self._tried: set[str] = set()

    def response(self) -> Response:
        """Return the answer of the first backend that does not fail; raise AppError."""
        call = self._call
        self._gateway.retries.called()
        try:
            return self._first_good()
        except Cancelled:
            call.finish("client_gone", 499)
            return Response(status=499)
        except AppError as error:
            call.finish(error.code, error.status)
            raise
        except BaseException:
            call.finish("internal_error", 500)
            raise

    def _first_good(self) -> Response:
        attempts = 1 + self._gateway.settings.max_retry_attempts
        while True:
            member = self._acquire()
            self._call.backend, self._call.attempts = member.row.name, self._call.attempts + 1
            try:
                return self._attempt(member)
            except Failed as failure:
                self._tried.add(member.row.id)
                left = self._call.attempts < attempts and self._others() and self._gateway.retries.take()
                if not left:
                    raise self._given_up(failure) from None
                self._call.failed_over()

    def _attempt(self, member: Member) -> Response:
        """Return one backend's answer; raise Failed, or Cancelled."""
        failed: bool | None = None
        answer: WireAnswer | None = None
        held = False
        try:
            answer = self._asked(member)
            if answer.status == 200 and "text/event-stream" in answer.headers.get("Content-Type", ""):
                stream = _Stream(self, member, answer)
                held = True
                return stream.response()
            response = self._whole(answer)
            failed = False
            return response
        except WIRE_ERRORS as error:
            failed = True
            raise Failed(excerpt(str(error) or type(error).__name__, 200)) from error
        except Failed as error:
            failed = error.ill or None
            raise
        finally:
            if not held:
                if answer is not None:
                    answer.close()
                self._gateway.ended(member, failed=failed)

    def _asked(self, member: Member) -> WireAnswer:
        """Return the answer's head; raise one of WIRE_ERRORS, Failed or Cancelled."""
        settings = self._gateway.settings
        self.limits = WireLimits(settings.request_timeout_seconds, settings.gateway_idle_seconds, self._gone)
        headers = {"Content-Type": "application/json", "Accept": "text/event-stream, application/json"}
        answer = member.wire.ask("POST", self._call.path, headers, self._call.body, self.limits)
        status = answer.status
        if status in RETRYABLE or status in OURS or not (200 <= status < 300 or 400 <= status < 500):
            wait = answer.headers.get("Retry-After", "") if status == 429 else ""
            answer.close()
            seconds = float(wait) if wait.isdigit() else (1.0 if status == 429 else None)
            raise Failed(f"it answered {status}", ill=status != 429, wait_seconds=seconds)
        return answer

    def _whole(self, answer: WireAnswer) -> Response:
        """Return an answer in one piece, as it is."""
        body = answer.read()
        self._call.first_byte()
        good = answer.status < 300
        if good:
            self._call.answered_bytes = len(body)
            self._call.usage = usage_in(body)
        self.keep(body.decode("utf-8", "replace"))
        self.finish("done" if good else "refused", answer.status)
        kind = answer.headers.get("Content-Type", "application/json")
        return Response(body, answer.status, headers={"Content-Type": kind, "X-Backend": self._call.backend})

    def _acquire(self) -> Member:
        pool, model, call = self._gateway.pool, self._call.model, self._call
        return self._gateway.queue.take(call.caller, lambda: pool.choose(model, self._tried), self._check)

    def _check(self) -> None:
        """Raise when it is no use to wait: no backend has the model, none is healthy, or the client has gone."""
        if self._gone():
            raise Cancelled
        pool, model = self._gateway.pool, self._call.model
        if self._others():
            return
        if not (having := pool.having(model)):
            raise NotFound(f"The model {model[:100]!r} does not exist here.", code="model_not_found")
        states = ", ".join(f"{one.row.name}: {one.breaker.state}, {one.row.check_detail}" for one in having)
        raise NoBackend(f"No healthy backend has the model ({states}).", pool.wait_seconds(having))

    def _others(self) -> bool:
        return bool(self._gateway.pool.able(self._call.model, self._tried))

    def _given_up(self, failure: Failed) -> AppError:
        if failure.wait_seconds is not None:
            return TooManyRequests(
                "The backends accept no more requests now.", retry_after_seconds=failure.wait_seconds
            )
        return NoBackend(f"The last of {self._call.attempts} backends failed: {failure}.")

    def keep(self, text: str) -> None:
        """Keep a piece of the answer, if contents are logged."""
        if self._gateway.settings.gateway_log_contents:
            self._call.answer.append(text)

    def finish(self, outcome: str, status: int) -> None:
        """End the call."""
        self._call.finish(outcome, status, contents=self._gateway.settings.gateway_log_contents)

    def good(self, member: Member) -> None:
        """Take note that a backend has begun to answer."""
        self._gateway.good(member)

    def ended(self, member: Member, *, failed: bool | None) -> None:
        """Take a backend back."""
        self._gateway.ended(member, failed=failed)

    @property
    def call(self) -> Call:
        """Return the call."""
        return self._call


class _Stream:
    """A streamed answer, whose first event is read before the client is sent anything."""

    def __init__(self, forwarding: Forwarding, member: Member, answer: WireAnswer) -> None:
        self._on, self._member, self._answer = forwarding, member, answer
        self._pieces, self._reader = answer.pieces(), EventReader(MAX_EVENT_BYTES)
        self._begun = self._over = False
        self._first = self._next()
        if self._first is None:
            raise Failed("its answer ended before it began")

    def response(self) -> Response:
        """Return the response that passes the events on as they come."""
        self._on.good(self._member)
        response = sse(self._events, part=_part, end=_end)
        response.headers["X-Backend"] = self._on.call.backend
        response.call_on_close(self._closed)
        return response

    def _next(self) -> list[str] | None:
        """Return the data of the events in the next piece that has some, or None at the end."""
        for piece in self._pieces:
            try:
                found = [event.data for event in self._reader.feed(piece)]
            except ValueError:
                raise Failed("one of its events is too long") from None
            if found:
                self._on.call.first_byte()
                return found
        return None

    def _events(self, stopped: Stopped) -> Iterator[str]:
        """Yield the data of the events; raise AppError when the backend fails in the middle."""
        self._begun, self._on.limits.cancelled = True, stopped
        outcome, failed = "client_gone", None
        try:
            yield from self._checked()
            outcome, failed = "done", False
        except Cancelled:
            return
        except (*WIRE_ERRORS, Failed) as error:
            outcome, failed = "broken", True
            raise Unavailable(
                f"The backend failed in the middle of the answer: {error}.", code="backend_failed"
            ) from None
        finally:
            self._end(outcome, failed)

    def _checked(self) -> Iterator[str]:
        """Yield the data; raise Failed when the stream ends without its end mark."""
        call, found = self._on.call, self._first
        finished = False
        while found is not None:
            for data in found:
                if data == DONE:
                    return
                finished = finished or '"finish_reason":"' in data.replace(" ", "")
                if self._passes(data):
                    call.answered_bytes += len(data)
                    self._on.keep(data)
                    yield data
            found = self._next()
        if not finished:
            raise Failed("it ended without an end mark")

    def _passes(self, data: str) -> bool:
        """Take note of an event's usage; return whether the client gets it, or had not asked for the usage."""
        if '"usage"' not in data:
            return True
        usage = usage_in(data)
        self._on.call.usage = usage or self._on.call.usage
        return not (usage and self._on.call.adds_usage and '"choices":[]' in data.replace(" ", ""))

    def _end(self, outcome: str, failed: bool | None) -> None:
        if not self._over:
            self._over = True
            self._answer.close()
            self._on.ended(self._member, failed=failed)
            self._on.finish(outcome, 200)

    def _closed(self) -> None:
        """End a stream that was never read: its client had gone, or there were too many streams."""
        if not self._begun:
            self._end("client_gone", None)


def usage_in(body: bytes | str) -> dict[str, Any]:
    """Return the usage that an answer tells, or nothing."""
    try:
        found = from_json(body)
    except ValueError:
        return {}
    usage = found.get("usage") if isinstance(found, dict) else None
    return usage if isinstance(usage, dict) else {}


def _watcher() -> Any:
    environ = request.environ
    return lambda: is_gone(environ)


def _part(data: str) -> str:
    lines = "".join(f"data: {line}\n" for line in data.split("\n"))
    return f"{lines}\n"


def _end(end: End) -> str:
    """Return the end mark, or the error in OpenAI's form: a partial answer never looks like a whole one."""
    if end.outcome == "done":
        return _part(DONE)
    error = {"message": end.message or "The answer was stopped.", "type": "server_error", "param": None}
    return _part(json.dumps({"error": error | {"code": end.code or "stopped"}}))
