"""Streams over server-sent events, for HTTP clients."""

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

from flask import Response, request

from chassis.realtime.streams import End, Run, Source, Unread
from chassis.realtime.streams.run import BY_VIEWER
from chassis.server.gone import is_gone
from chassis.wiring import current_settings

LOOK_SECONDS = 0.2  # between two looks whether the client is gone
HEARTBEAT = ":\n\n"
HEADERS = {
    "Cache-Control": "private, no-store, no-transform",  # a proxy that compressed it would hold parts back
    "X-Accel-Buffering": "no",  # nginx passes each part on at once
}


def event(name: str, data: Any) -> str:
    """Return one server-sent event with data as JSON."""
    return f"event: {name}\ndata: {json.dumps(data)}\n\n"


def part_event(text: str) -> str:
    """Return the event of a piece of text: `part` with `text`."""
    return event("part", {"text": text})


def end_event(end: End) -> str:
    """Return the last event: `end` with the `outcome`, or `error` which also has the `error`."""
    return event("error" if end.outcome == "failed" else "end", end.as_dict())


def sse(
    source: Source,
    *,
    part: Callable[[str], str] = part_event,
    end: Callable[[End], str] = end_event,
    unread: Unread | None = None,
) -> Response:
    """Return a response that sends each text of a source at once as a server-sent event, and how it ended.

    `part` and `end` write the events; others suit another protocol. Comments are sent every STREAM_HEARTBEAT_SECONDS.
    The source is stopped within half a second after the client is gone. Above MAX_CONCURRENT_STREAMS the only event is
    an error; the source is not called then, nor for a client that is gone before it, but `unread(end)` is.
    """
    return Response(EventStream(Run(source, unread), part, end), mimetype="text/event-stream", headers=HEADERS)


class EventStream(Iterator[str]):
    """The events of a response."""

    def __init__(self, run: Run, part: Callable[[str], str], end: Callable[[End], str]) -> None:
        self._run, self._part, self._end = run, part, end
        self._environ = request.environ
        self._heartbeat_seconds = current_settings().stream_heartbeat_seconds
        self._sent_at = time.monotonic()
        self._begun = self._over = False

    def __next__(self) -> str:
        if not self._begun:
            self._begun = True
            self._run.start()
            return HEARTBEAT  # so that the head is sent at once
        while not self._over:
            if text := self._next():
                self._sent_at = time.monotonic()
                return text
        raise StopIteration

    def close(self) -> None:
        """Stop the source, when the response has ended or its client is gone."""
        self._over = True
        self._run.stop()
        if not self._begun:
            self._begun = True
            self._run.skip(BY_VIEWER)

    def _next(self) -> str:
        """Return the events that are ready, a heartbeat, or "" after a short wait."""
        ended = self._run.end
        texts = self._run.take(0 if ended else LOOK_SECONDS)
        if texts:
            return "".join(map(self._part, texts))
        if ended:
            self._over = True
            return self._end(ended)
        if is_gone(self._environ):
            self.close()
            return ""
        return HEARTBEAT if time.monotonic() - self._sent_at >= self._heartbeat_seconds else ""
