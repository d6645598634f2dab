"""Receives one streamed answer of the outside API, and yields its parts as they come."""

import time
from collections.abc import Callable, Generator
from contextlib import ExitStack, suppress
from dataclasses import dataclass

import requests
from urllib3.exceptions import HTTPError

from chassis.observability.metrics import UPSTREAM_FIRST_PART
from chassis.upstream import answers
from chassis.upstream.answers import Completion
from chassis.upstream.assembly import Assembly
from chassis.upstream.calls import Call
from chassis.upstream.errors import UpstreamError
from chassis.upstream.event_stream import EventReader, TooLong, begins_events
from chassis.upstream.replies import PIECE_BYTES, Reply, TooLarge, receive
from chassis.upstream.sending import BREAKS, Setup, answer_to, named, traced, under_way
from chassis.upstream.session import Patience
from chassis.upstream.waiting import Check, stop_if

HEADERS = {"Accept": "text/event-stream, application/json", "Accept-Encoding": "identity"}
WRAPPING = 20  # bytes of a stream for each byte of its text: every token comes in an object of its own
RECOGNISED_BYTES = 6  # of the beginning of a body
LAST_SECONDS = 5.0  # for the usage and the end mark, after the API has said why the answer ends
TAIL_SECONDS = 0.1  # for the end of the body, after which the connection can be used again


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of an answer; the last one has no text, but the whole answer with its usage in `done`."""

    text: str
    done: Completion | None = None


def stream(setup: Setup, call: Call, attempt: int, cancelled: Check) -> Generator[Part]:
    """Yield the parts of one attempt; raise UpstreamError, or Cancelled soon after `cancelled()` turns true.

    The connection ends when the generator is closed.
    """
    total = WRAPPING * setup.max_response_bytes
    limits = Patience(setup.first_part_seconds, cancelled, total, setup.stream_seconds)
    body = call.streamed_body(setup.model, usage=setup.stream_usage)
    with under_way(), ExitStack() as held:
        with traced(setup):
            seconds = setup.first_part_seconds
            response = held.enter_context(answer_to(setup, body, limits, seconds, HEADERS))
        yield from _Receiving(setup, call.model or setup.model, attempt, cancelled, limits).parts(response)


class _Receiving:
    """One answer that is being received."""

    def __init__(self, setup: Setup, model: str, attempt: int, cancelled: Check, limits: Patience) -> None:
        self._setup, self._model, self._attempt = setup, model, attempt
        self._cancelled, self._limits = cancelled, limits
        self._began, self._bytes = time.monotonic(), 0

    def parts(self, response: requests.Response) -> Generator[Part]:
        if response.status_code // 100 != 2:
            self._read_whole(receive(response, self._setup.max_response_bytes))
        start = self._beginning(response)
        if "text/event-stream" in response.headers.get("Content-Type", "").lower():
            streams = not start.lstrip().startswith((b"{", b"["))
        else:
            streams = begins_events(start)
        if streams:
            yield from self._events(start, lambda: self._more(response))
            return
        done = self._read_whole(self._rest(response, start))
        yield Part(done.text)
        yield Part("", done)

    def _events(self, piece: bytes, more: Callable[[], bytes]) -> Generator[Part]:
        """Yield the parts of a stream; an error in it has the text that came before."""
        answer = Assembly(self._setup.key)
        try:
            yield from self._texts(answer, piece, more)
            if not answer.finished:
                message = "The connection to the outside API ended in the middle of the answer."
                raise UpstreamError("upstream_unavailable", message, retryable=True)
            done = answer.completion(self._model, self._attempt)
        except UpstreamError as error:
            raise _with(answer, error) from None
        except BREAKS as error:
            raise _with(answer, named(error, self._limits, self._setup)) from error
        if answer.ended:
            self._finish(more)
        yield Part("", done)

    def _texts(self, answer: Assembly, piece: bytes, more: Callable[[], bytes]) -> Generator[Part]:
        events, setup = EventReader(self._setup.max_response_bytes), self._setup
        try:
            while piece and not answer.ended:
                for event in events.feed(piece):
                    stop_if(self._cancelled)
                    text = answer.take(event)
                    if answer.bytes > setup.max_response_bytes:
                        raise TooLarge
                    if text:
                        self._note_first()
                        yield Part(text)
                    if event.data.strip():
                        self._go_on(answer)
                piece = b"" if answer.ended else more()
        except TooLong:
            raise TooLarge from None
        except (requests.RequestException, HTTPError):
            if not answer.finished:  # otherwise only the end mark is missing, and the text is whole
                raise

    def _go_on(self, answer: Assembly) -> None:
        """Wait for the next part; only the time during which the API is silent counts."""
        idle = self._setup.idle_seconds
        complaint = f"The outside API stopped for {idle:g} seconds in the middle of its answer."
        self._limits.allow(min(idle, LAST_SECONDS) if answer.finished else idle, complaint)

    def _note_first(self) -> None:
        if self._began:
            UPSTREAM_FIRST_PART.observe(time.monotonic() - self._began)
            self._began = 0.0

    def _more(self, response: requests.Response) -> bytes:
        """Return the bytes that have come, or wait for some; b"" at the end."""
        piece: bytes = response.raw.read1(PIECE_BYTES, decode_content=True) or b""
        self._bytes += len(piece)
        if self._bytes > WRAPPING * self._setup.max_response_bytes:
            raise TooLarge
        return piece

    def _beginning(self, response: requests.Response) -> bytes:
        start = b""
        while len(start.lstrip()) < RECOGNISED_BYTES and (piece := self._more(response)):
            start += piece
        return start

    def _rest(self, response: requests.Response, start: bytes) -> Reply:
        body = bytearray(start)
        while piece := self._more(response):
            body += piece
            if len(body) > self._setup.max_response_bytes:
                raise TooLarge
        return Reply(response.status_code, response.headers, bytes(body))

    def _read_whole(self, reply: Reply) -> Completion:
        """Return the completion of an answer that is not streamed, or raise UpstreamError."""
        return answers.read(reply, model=self._model, attempts=self._attempt, key=self._setup.key)

    def _finish(self, more: Callable[[], bytes]) -> None:
        """Read the end of the body, which usually has arrived; otherwise the connection is closed."""
        self._limits.allow(TAIL_SECONDS, "")
        with suppress(*BREAKS):
            more()


def _with(answer: Assembly, error: UpstreamError) -> UpstreamError:
    """Return the error with what came before it."""
    error.text, error.usage = answer.text, answer.usage
    return error
