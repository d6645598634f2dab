"""Reads server-sent events from pieces of bytes, within a limit.

The rules are https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation. The libraries
that were looked at (sseclient-py, requests-sse, httpx-sse) keep an event of any size in memory, and the last is for
httpx.
"""

from collections.abc import Iterator
from typing import NamedTuple

BOM = b"\xef\xbb\xbf"
BEGINNINGS = (b"data:", b":", b"event:", b"id:", b"retry:", b"data\n", b"data\r")


class TooLong(ValueError):
    """Raised for an event above the limit."""


class Event(NamedTuple):
    """One event: its name, "message" unless it is given, and its lines of data."""

    name: str
    data: str


def begins_events(start: bytes) -> bool:
    """Return whether a body begins as a stream of events does."""
    return start.removeprefix(BOM).lstrip().startswith(BEGINNINGS)


class EventReader:
    """Takes pieces of a stream and returns the events that are complete.

    Lines end in LF, CRLF or CR. Invalid UTF-8 becomes U+FFFD; a character that is split over pieces is not invalid.
    Comments, other fields and events without data are ignored, and so is an event that the end of the stream cuts off.
    """

    def __init__(self, most_bytes: int) -> None:
        self._most = most_bytes
        self._rest = bytearray()  # the beginning of a line
        self._data: list[str] = []
        self._name, self._size = "", 0
        self._first, self._after_cr = True, False

    def feed(self, piece: bytes) -> Iterator[Event]:
        """Yield the events that end in this piece; raise TooLong for an event over the limit."""
        for line in self._lines(piece):
            self._size += len(line)
            if self._size > self._most:
                raise TooLong
            if line:
                self._take(line)
            elif event := self._ended():
                yield event

    def _lines(self, piece: bytes) -> Iterator[bytes]:
        """Yield the lines that end in this piece, without their ends."""
        if self._after_cr and piece:
            piece, self._after_cr = piece.removeprefix(b"\n"), False
        for line in piece.splitlines(keepends=True):
            self._rest += line
            if self._size + len(self._rest) > self._most:
                raise TooLong
            if line.endswith((b"\n", b"\r")):
                self._after_cr = line.endswith(b"\r")
                whole = bytes(self._rest).rstrip(b"\r\n")
                self._rest.clear()
                yield self._without_bom(whole)
        self._after_cr = self._after_cr and piece.endswith(b"\r")

    def _without_bom(self, line: bytes) -> bytes:
        first, self._first = self._first, False
        return line.removeprefix(BOM) if first else line

    def _take(self, line: bytes) -> None:
        name, _, value = line.decode("utf-8", "replace").partition(":")
        value = value.removeprefix(" ")
        if name == "data":
            self._data.append(value)
        elif name == "event":
            self._name = value

    def _ended(self) -> Event | None:
        event = Event(self._name or "message", "\n".join(self._data)) if self._data else None
        self._data, self._name, self._size = [], "", 0
        return event
