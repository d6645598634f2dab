"""The answer of one of several APIs: whole, or as events, of which the first is read before anything is passed on."""

import threading
from collections.abc import Callable, Iterator
from typing import Any

from pydantic import BaseModel
from pydantic_core import from_json

from chassis.base import excerpt
from chassis.errors import Unavailable
from chassis.upstream.assembly import END
from chassis.upstream.connections import WireLimits
from chassis.upstream.errors import Cancelled
from chassis.upstream.event_stream import EventReader
from chassis.upstream.pool import Member
from chassis.upstream.refusals import retry_after
from chassis.upstream.usage import Usage, usage_in
from chassis.upstream.waiting import Check
from chassis.upstream.wire import WIRE_ERRORS, WireAnswer

MAX_EVENT_BYTES = 2_000_000
MAX_REASON = 200  # characters
CLIENT_GONE = "client_gone"
NO_SIGN: bool | None = None  # of an API's health
EMBEDDINGS = "/embeddings"
EVENTS, JSON = "text/event-stream", "application/json"
HEADERS = {"Content-Type": JSON, "Accept": f"{EVENTS}, {JSON}"}
OURS = (401, 402, 403, 404, 407)  # the key or the address is wrong there, not what the client sent
RETRYABLE = (408, 425, 429)
HARMLESS = (404, 429)  # say nothing about an API's health: each client can cause them


Back = Callable[[Member, bool | None], None]


class Failed(Exception):
    """An API failed before anything was passed on; `ill` says whether that is a sign of bad health."""

    def __init__(self, reason: str, *, ill: bool = True, status: int = 0, wait_seconds: float = 1.0) -> None:
        super().__init__(reason)
        self.ill, self.status, self.wait_seconds = ill, status, wait_seconds


class _Whole(BaseModel):
    """What is read of an answer in one piece; a large one is parsed six times as fast as a whole."""

    choices: Any = None
    error: Any = None
    usage: Any = None


class Relayed:
    """An answer: its `body`, or its `events` if it `streams`; the member is given back once, at the end.

    `usage` is what it told of the tokens, and `text_bytes` the size of what was passed on. `on_end(outcome)` is called
    once for a stream, with `done`, `broken` or `client_gone`.
    """

    def __init__(self, member: Member, back: Back, *, hides_usage: bool = False) -> None:
        self.member, self._back, self._hides_usage = member, back, hides_usage
        self.status, self.body, self.kind = 0, b"", JSON
        self.streams = self.embeds = self._begun = False
        self.usage, self.text_bytes = Usage(), 0
        self.on_end: Callable[[str], None] = lambda _outcome: None
        self._answer: WireAnswer | None = None
        self._first: list[str] | None = None
        self._ending, self._over = threading.Lock(), False

    def begin(self, path: str, body: bytes, limits: WireLimits) -> None:
        """Ask, and read the body or the first events; raise Failed, Cancelled, or one of WIRE_ERRORS."""
        self._limits, self.embeds = limits, path == EMBEDDINGS
        self._answer = answer = self.member.wire.ask("POST", path, HEADERS, body, limits)
        self.status = answer.status
        _check_status(answer)
        if answer.status == 200 and EVENTS in answer.headers.get("Content-Type", ""):
            self.streams, self._pieces, self._reader = True, answer.pieces(), EventReader(MAX_EVENT_BYTES)
            self._first = self._next()
            if not self._first:
                raise Failed("its answer ended before it began")
            _check_content(self._first[0])
        else:
            self._take(answer.read())
            self.end(failed=False)

    def events(self, cancelled: Check) -> Iterator[str]:
        """Yield the data of the events, without the end mark, until the client goes; raise Unavailable if it breaks."""
        self._begun, self._limits.cancelled = True, cancelled
        outcome, failed = CLIENT_GONE, NO_SIGN
        try:
            yield from self._checked()
            outcome, failed = "done", False
        except Cancelled:
            return
        except (*WIRE_ERRORS, Failed) as error:
            outcome, failed = "broken", getattr(error, "ill", True) or NO_SIGN
            reason = f"The backend failed in the middle of the answer: {told(error)}."
            raise Unavailable(reason, code="backend_failed") from None
        finally:
            self.end(failed=failed, outcome=outcome)

    def end_unread(self, outcome: str = CLIENT_GONE) -> None:
        """End a stream whose events nobody has begun to read."""
        if not self._begun:
            self.end(failed=NO_SIGN, outcome=outcome)

    def end(self, *, failed: bool | None, outcome: str = CLIENT_GONE) -> None:
        """Close the answer and give the member back, once; None says nothing about its health."""
        with self._ending:
            over, self._over = self._over, True
        if not over:
            if self._answer is not None:
                self._answer.close()
            try:
                self._back(self.member, failed)
            finally:
                self.on_end(outcome)

    def _take(self, body: bytes) -> None:
        """Take an answer in one piece; raise Failed if a good one is not JSON, or tells of an error."""
        self.body = body
        try:
            found = _Whole.model_validate_json(body).model_dump(exclude_unset=True)
        except ValueError:
            if self.status < 300:
                raise Failed("its answer is not a JSON object") from None
            self.kind = "text/plain"
            return
        if self.status < 300:
            _check_no_error(found)
            self.usage, self.text_bytes = usage_in(found), len(body)

    def _next(self) -> list[str] | None:
        """Return the data of the events in the next piece that has some, or None at the end."""
        for piece in self._pieces:
            try:
                found = [event.data for event in self._reader.feed(piece)]
            except ValueError:
                raise Failed("one of its events is too long") from None
            if found:
                return found
        return None

    def _checked(self) -> Iterator[str]:
        """Yield the data; raise Failed for an error, and when the stream ends without its end mark."""
        found, finished = self._first, False
        while found is not None:
            for data in found:
                if data == END:
                    return
                _check_content(data)
                finished = finished or '"finish_reason":"' in data.replace(" ", "")
                if self._passes(data):
                    self.text_bytes += len(data)
                    yield data
            found = self._next()
        if not finished:
            raise Failed("it ended without an end mark")

    def _passes(self, data: str) -> bool:
        """Take an event's usage; return whether the client gets the event, or had not asked for the usage."""
        if '"usage"' not in data:
            return True
        found = _parsed(data)
        usage = usage_in(found)
        if usage == Usage():
            return True
        self.usage = usage
        return not (self._hides_usage and found.get("choices") == [])


def told(error: BaseException) -> str:
    """Return the reason of a failure, for a message."""
    return excerpt(str(error) or type(error).__name__, MAX_REASON)


def _check_status(answer: WireAnswer) -> None:
    status = answer.status
    if status in RETRYABLE or status in OURS or not (200 <= status < 300 or 400 <= status < 500):
        wait = retry_after(answer.headers.get("Retry-After"))
        raise Failed(f"it answered {status}", ill=status not in HARMLESS, status=status, wait_seconds=wait or 1.0)


def _check_content(data: str) -> None:
    if '"error"' in data:
        _check_no_error(_parsed(data))


def _check_no_error(found: Any) -> None:
    """Raise Failed for an error with a good status."""
    if isinstance(found, dict) and (error := found.get("error")) and "choices" not in found:
        message = error.get("message") if isinstance(error, dict) else error
        raise Failed(excerpt(f"it told of an error: {message}", MAX_REASON), ill=False)


def _parsed(data: str) -> Any:
    try:
        return from_json(data)
    except ValueError:
        return {}
