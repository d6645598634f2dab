"""Packets on the wire: Engine.IO protocol 4 around Socket.IO protocol 5, strictly decoded, encoded once."""

import base64
import json
import math
import re
from typing import Any, NamedTuple, NoReturn

from chassis.base import jsontext
from chassis.server.frames import BINARY, TEXT, frame

CONNECT, DISCONNECT, EVENT, ACK, CONNECT_ERROR, BINARY_EVENT, BINARY_ACK = range(7)
RESERVED_EVENTS = frozenset(
    ("connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener")
)
MAX_ATTACHMENTS = 100  # per packet from a client
MAX_SENT_ATTACHMENTS = 10  # maxAttachments of socket.io-parser 4.2, which closes the connection above it
MAX_TOGETHER = 1_000  # packets in the body of one long poll
LIKE_PACKET = re.compile(r"([0-6])(?:(\d{1,3})-)?(?:(/[^,]*)(?:,|$))?(\d{1,15})?(.*)", re.DOTALL | re.ASCII)
_encode = jsontext.encoder(allow_nan=False)


class Outgoing:
    """One outgoing Engine.IO packet; its frame is built once for all recipients."""

    __slots__ = ("_frame", "data")

    def __init__(self, data: str | bytes) -> None:
        """Take text that begins with the packet's type, or the bytes of an attachment."""
        self.data = data
        self._frame: bytes | None = None

    @property
    def frame(self) -> bytes:
        """The packet as a websocket frame."""
        if self._frame is None:
            data = self.data
            self._frame = frame(TEXT, data.encode()) if isinstance(data, str) else frame(BINARY, data)
        return self._frame

    @property
    def polled(self) -> str:
        """The packet as part of a long poll's answer."""
        return self.data if isinstance(self.data, str) else "b" + base64.b64encode(self.data).decode()


CLOSE, PING, NOOP, PROBED = Outgoing("1"), Outgoing("2"), Outgoing("6"), Outgoing("3probe")


class Packet(NamedTuple):
    """A Socket.IO packet from a client, before its attachments have arrived."""

    kind: int
    namespace: str
    id: int | None
    data: Any
    attachments: int


def plain(kind: int) -> int:
    """Return the kind that corresponds to `kind` without attachments."""
    return {BINARY_EVENT: EVENT, BINARY_ACK: ACK}.get(kind, kind)


def encode(kind: int, namespace: str, data: Any = None, id: int | None = None) -> list[Outgoing]:
    """Return a packet as text, followed by its attachments: the bytes found anywhere in the data."""
    head = "" if namespace == "/" else namespace + ","
    number = "" if id is None else str(id)
    try:
        text = "" if data is None else _encode(data)
    except (TypeError, ValueError):
        text, attachments = _with_attachments(data)
        if attachments:
            binary = BINARY_EVENT if kind == EVENT else BINARY_ACK
            return [Outgoing(f"4{binary}{len(attachments)}-{head}{number}{text}"), *map(Outgoing, attachments)]
    return [Outgoing(f"4{kind}{head}{number}{text}")]


def _with_attachments(data: Any) -> tuple[str, list[bytes]]:
    """Return JSON with placeholders, and the bytes that belong in their places."""
    attachments: list[bytes] = []

    def attach(value: Any) -> dict[str, Any]:
        if not isinstance(value, (bytes, bytearray, memoryview)):
            raise TypeError(f"Object of type {type(value).__name__} is not JSON serializable")
        attachments.append(bytes(value))
        return {"_placeholder": True, "num": len(attachments) - 1}

    text = json.JSONEncoder(separators=(",", ":"), default=attach).encode(_finite(data))
    if len(attachments) > MAX_SENT_ATTACHMENTS:
        raise ValueError(
            f"An event or an answer may carry {MAX_SENT_ATTACHMENTS} byte values, not {len(attachments)}: join "
            "some, or send several. JavaScript clients disconnect at more."
        )
    return text, attachments


def _finite(data: Any) -> Any:
    """Return the data with null for NaN and infinities, as in JavaScript; clients cannot parse NaN."""
    if isinstance(data, float):
        return data if math.isfinite(data) else None
    if isinstance(data, (list, tuple)):
        return [_finite(item) for item in data]
    if isinstance(data, dict):
        return {key: _finite(value) for key, value in data.items()}
    return data


def decode(text: str) -> Packet:
    """Return the packet in a message's text; raise ValueError if it violates the protocol."""
    if text.startswith("2["):  # nine out of ten packets look like this
        return Packet(EVENT, "/", None, _event(_loads(text[1:])), 0)
    found = LIKE_PACKET.fullmatch(text)
    if found is None:
        raise ValueError("not a Socket.IO packet")
    kind, attachments, namespace, number, rest = found.groups()
    packet = Packet(
        int(kind),
        (namespace or "/").partition("?")[0],
        int(number) if number else None,
        _loads(rest) if rest else None,
        int(attachments or 0),
    )
    _check(packet, attachments is not None)
    return packet


def join(packet: Packet, attachments: list[bytes]) -> Packet:
    """Return the packet with its attachments in place; raise ValueError if they do not fit."""
    try:
        data = _filled(packet.data, attachments)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    return Packet(plain(packet.kind), packet.namespace, packet.id, data, 0)


def unpack_payload(text: str) -> list[str | bytes]:
    """Return the Engine.IO packets of a long poll's body: text with its type, or bytes; ValueError for too many."""
    parts = text.split("\x1e", MAX_TOGETHER)
    if len(parts) > MAX_TOGETHER:
        raise ValueError(f"more than {MAX_TOGETHER:,} packets at once")
    return [base64.b64decode(part[1:], validate=True) if part.startswith("b") else part for part in parts]


def _check(packet: Packet, counted: bool) -> None:
    kind, data = packet.kind, packet.data
    if counted != (kind in (BINARY_EVENT, BINARY_ACK)) or packet.attachments > MAX_ATTACHMENTS:
        raise ValueError("wrong number of attachments")
    if kind in (EVENT, BINARY_EVENT):
        _event(data)
    elif kind in (ACK, BINARY_ACK):
        if packet.id is None or not isinstance(data, list):
            raise ValueError("an acknowledgement has an id and a list")
    elif kind == CONNECT:
        if packet.id is not None or not (data is None or isinstance(data, dict)):
            raise ValueError("a connect packet has an object or nothing")
    elif kind == CONNECT_ERROR or packet.id is not None or data is not None:
        raise ValueError("not a packet that a client sends")


def _event(data: Any) -> Any:
    name = data[0] if isinstance(data, list) and data else None
    if not isinstance(name, (str, int)) or isinstance(name, bool) or name in RESERVED_EVENTS:
        raise ValueError("an event is a list that begins with its name")
    return data


def _constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


_decoder = json.JSONDecoder(parse_constant=_constant)


def _loads(text: str) -> Any:
    jsontext.check_brackets(text)
    try:
        data, end = _decoder.raw_decode(text)
        return data if end == len(text) else _decoder.decode(text)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def _filled(data: Any, attachments: list[bytes]) -> Any:
    if isinstance(data, list):
        return [_filled(item, attachments) for item in data]
    if isinstance(data, dict):
        if data.get("_placeholder") is True:
            return _attachment(data.get("num"), attachments)
        return {key: _filled(value, attachments) for key, value in data.items()}
    return data


def _attachment(number: Any, attachments: list[bytes]) -> bytes:
    if type(number) is not int or not 0 <= number < len(attachments):
        raise ValueError("a placeholder names one of the attachments")
    return attachments[number]
