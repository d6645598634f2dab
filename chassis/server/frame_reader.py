"""Parses RFC 6455 frames of a client, without I/O."""

import codecs
from collections.abc import Iterator

from chassis.server.frames import (
    CLOSE,
    CONTINUATION,
    CONTROL,
    DATA,
    INVALID_DATA,
    MAX_CONTROL_BYTES,
    NO_CODE,
    POLICY,
    PROTOCOL_ERROR,
    TEXT,
    TOO_BIG,
    Closing,
    Message,
    ProtocolError,
)

try:
    from websockets.speedups import apply_mask
except ImportError:  # the compiled module is not available on every platform
    from websockets.utils import apply_mask

MAX_FRAGMENTS = 1_000  # per message; otherwise empty fragments could follow without end
CLOSE_CODES = frozenset((1000, 1001, 1002, 1003, *range(1007, 1015)))  # RFC 6455, 7.4.1, and IANA's registry
Utf8 = codecs.getincrementaldecoder("utf-8")


class FrameReader:
    """Collects a client's bytes; holds at most one frame and one message of `max_bytes` each.

    Text that arrives in pieces is checked as it arrives: it is refused at the first invalid byte (RFC 6455, 8.1).
    """

    __slots__ = ("_buffer", "_checked", "_fragments", "_max_bytes", "_message", "_needed", "_opcode", "_utf8")

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._buffer = bytearray()
        self._needed = 2
        self._opcode = 0  # of the fragmented message in progress
        self._message: bytearray | None = None
        self._utf8: codecs.IncrementalDecoder | None = None  # of a text that is not complete
        self._checked = 0  # bytes of the incomplete frame that were checked already
        self._fragments = 0

    def feed(self, data: bytes) -> Iterator[Message]:
        """Yield the messages that are now complete: (opcode, payload), text as str; raise ProtocolError."""
        if self._buffer:
            self._buffer += data
            if len(self._buffer) < self._needed:
                self._check_begun()
                return
            data = bytes(self._buffer)
            self._buffer.clear()
        position, size = 0, len(data)
        while position < size:
            end = self._frame_end(data, position, size)
            if end > size:
                self._buffer += data[position:]
                self._needed = end - position
                self._check_begun()
                break
            message = self._read(data, position, end)
            position = end
            if message is not None:
                yield message

    def forget(self) -> None:
        """Discard incomplete data; no more will follow."""
        self._buffer, self._message = bytearray(), None

    def _frame_end(self, data: bytes, position: int, size: int) -> int:
        """Return where the frame ends as far as its header says, after the checks that need only the header."""
        if size - position < 2:
            return position + 2
        first, second = data[position], data[position + 1]
        self._check_header(first, second)
        length, start = second & 0x7F, position + 2
        if length >= 126:
            width = 2 if length == 126 else 8
            if size < start + width:
                return start + width
            length = int.from_bytes(data[start : start + width], "big")
            self._check_length(length, width)
            start += width
        if first & 0x0F < CLOSE and length + len(self._message or b"") > self._max_bytes:
            raise ProtocolError(TOO_BIG, f"messages may have {self._max_bytes} bytes")
        return start + 4 + length

    def _check_header(self, first: int, second: int) -> None:
        opcode = first & 0x0F
        if first & 0x70:
            raise ProtocolError(PROTOCOL_ERROR, "no extension was agreed on")
        if not second & 0x80:
            raise ProtocolError(PROTOCOL_ERROR, "a client masks its frames")
        if opcode in CONTROL:
            if not first & 0x80 or second & 0x7F > MAX_CONTROL_BYTES:
                raise ProtocolError(PROTOCOL_ERROR, "a control frame is short and in one piece")
        elif opcode not in DATA:
            raise ProtocolError(PROTOCOL_ERROR, "unknown opcode")
        elif (opcode == CONTINUATION) != (self._message is not None):
            raise ProtocolError(PROTOCOL_ERROR, "fragments out of order")

    @staticmethod
    def _check_length(length: int, width: int) -> None:
        if length < (126 if width == 2 else 1 << 16) or length >> 63:
            raise ProtocolError(PROTOCOL_ERROR, "a length has its shortest form")

    def _read(self, data: bytes, position: int, end: int) -> Message | None:
        first, start = data[position], position + _head_bytes(data[position + 1])
        payload = apply_mask(data[start:end], data[start - 4 : start]) if end > start else b""
        opcode = first & 0x0F
        if opcode >= CLOSE:
            return opcode, _closing(payload) if opcode == CLOSE else payload
        if opcode and first & 0x80:
            self._utf8, self._checked = None, 0
            return opcode, _text(payload) if opcode == TEXT else payload
        return self._fragment(opcode, payload, final=bool(first & 0x80))

    def _fragment(self, opcode: int, payload: bytes, final: bool) -> Message | None:
        if self._message is None:
            self._message, self._opcode, self._fragments = bytearray(), opcode, 0
        if self._opcode == TEXT:
            self._check(payload[self._checked :], final)
            self._checked = 0
        self._message += payload
        self._fragments += 1
        if self._fragments > MAX_FRAGMENTS:
            raise ProtocolError(POLICY, f"messages may have {MAX_FRAGMENTS:,} fragments")
        if not final:
            return None
        whole, self._message, self._utf8 = bytes(self._message), None, None
        return self._opcode, whole.decode() if self._opcode == TEXT else whole

    def _check_begun(self) -> None:
        """Check the part of a text that has arrived in an incomplete frame."""
        data = self._buffer
        if len(data) < 2 or (data[0] & 0x0F or self._opcode) != TEXT:
            return
        start = _head_bytes(data[1])
        seen, came = start + self._checked, len(data)
        if came > seen:
            mask, turn = data[start - 4 : start], self._checked % 4
            self._check(apply_mask(bytes(data[seen:]), bytes(mask[turn:] + mask[:turn])), final=False)
            self._checked = came - start

    def _check(self, text: bytes, final: bool) -> None:
        if self._utf8 is None:
            self._utf8 = Utf8()
        try:
            self._utf8.decode(text, final)
        except UnicodeDecodeError:
            raise ProtocolError(INVALID_DATA, "text is UTF-8") from None


def _head_bytes(second: int) -> int:
    """Return the length of a masked frame's header, given its second byte."""
    short = second & 0x7F
    return 6 if short < 126 else 8 if short == 126 else 14


def _text(payload: bytes) -> str:
    try:
        return payload.decode()
    except UnicodeDecodeError:
        raise ProtocolError(INVALID_DATA, "text is UTF-8") from None


def _closing(payload: bytes) -> Closing:
    if not payload:
        return Closing(NO_CODE, "")
    code, reason = int.from_bytes(payload[:2], "big"), _text(payload[2:])
    if len(payload) == 1 or not (code in CLOSE_CODES or 3000 <= code < 5000):
        raise ProtocolError(PROTOCOL_ERROR, "unknown close code")
    return Closing(code, reason)
