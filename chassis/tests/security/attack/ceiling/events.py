"""Every socket event of an application, and the worst messages that it can be sent; they come as long polls."""

import inspect
import json
import typing
from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel

from chassis.tests.security.attack.ceiling.values import json_texts

POLL = b"/socket.io/?EIO=4&transport=polling"
ACKNOWLEDGED = 7
LIFE = ("connect", "disconnect")


def events(server: Any) -> dict[str, dict[str, Any]]:
    """Return, by event, the fields of its message with values that are right; of all namespaces."""
    return {name: _fields(handler) for name, handler in _handlers(server)}


def of_features(server: Any) -> list[str]:
    """Return the events of the service's own features."""
    return [name for name, handler in _handlers(server) if handler.__module__.startswith("app.")]


def _handlers(server: Any) -> Iterator[tuple[str, Any]]:
    for namespace, handlers in server.handlers.items():
        for event, handler in handlers.items():
            if event not in LIFE:
                yield event if namespace == "/" else f"{namespace} {event}", inspect.unwrap(handler)


def _fields(handler: Any) -> dict[str, Any]:
    hints = [hint for name, hint in typing.get_type_hints(handler).items() if name != "return"]
    model = next((hint for hint in hints if isinstance(hint, type) and issubclass(hint, BaseModel)), None)
    return dict.fromkeys(model.model_fields, "a") if model else {}


def messages(event: str, fields: dict[str, Any], most: int, *, few: bool) -> Iterator[tuple[str, bytes]]:
    """Yield the worst packets of an event, with what is wrong with each."""
    name = json.dumps(event.rpartition(" ")[2]).encode()
    head = b"42" + (event.partition(" ")[0].encode() + b"," if event.startswith("/") else b"")
    yield "nothing wrong", b"%b[%b,%b]" % (head, name, json.dumps(fields).encode())
    room = most - 200
    for what, text in json_texts(room, few=few).items():
        yield f"a message of {what}", b"%b[%b,%b]" % (head, name, text)
    for one in fields:
        start = json.dumps({**{key: value for key, value in fields.items() if key != one}, one: 0})[:-2].encode()
        for what, text in json_texts(room - len(start), few=few).items():
            yield f"{one} of {what}", b"%b[%b,%b%b}]" % (head, name, start, text)
    yield "many arguments", b"%b[%b%b]" % (head, name, b",1" * (room // 2))


def packets(most: int, *, few: bool) -> Iterator[tuple[str, bytes]]:
    """Yield the worst packets of somebody who is in no namespace, or wants to be."""
    room = most - 200
    for what, text in json_texts(room, few=few).items():
        yield f"an event of {what}", b"42[" + text + b"]"
        yield f"an auth of {what}", b"40" + text
        yield f"a key of {what}", b'40{"key":' + text + b"}"
        yield f"an attachment's packet of {what}", b'451-["a",{"_placeholder":true,"num":0},' + text + b"]"
        yield f"an acknowledgement of {what}", b"431[" + text + b"]"
    yield "a namespace of letters", b"40/" + b"a" * room
    yield "an unknown event", b"42" + json.dumps(["a" * room]).encode()
    yield "a number of digits", b"42" + b"9" * room
    yield "no packet", b"4" + b"a" * room


def payloads(most: int) -> Iterator[tuple[str, bytes]]:
    """Yield the worst long polls of many packets."""
    for what, part in {"pongs": b"3\x1e", "nothing": b"\x1e", "attachments": b"bAAAA\x1e", "noops": b"6\x1e"}.items():
        yield f"many packets of {what}", part * (most // len(part) - 2)
    yield "many connects", b"40\x1e" * (most // 3 - 10)
    yield "many events", b'42["a"]\x1e' * (most // 8 - 10)
    yield "no UTF-8", b"\xff" * most
    yield "an attachment of letters", b"b" + b"A" * (most - 9)
