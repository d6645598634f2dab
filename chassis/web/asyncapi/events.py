"""The declared events of the application: those that clients send, and those that the server sends."""

import inspect
from collections.abc import Iterator
from dataclasses import dataclass

from pydantic import BaseModel

from chassis.extensions import Handler, socketio
from chassis.realtime.contracts import ANSWER, sent
from chassis.realtime.messages import model_of
from chassis.security.guard import NEEDED
from chassis.security.identity import READ

LIFECYCLE = ("connect", "disconnect")


@dataclass(frozen=True)
class Taken:
    """An event that clients send: its message, its answer, the scope it needs, and what it does."""

    namespace: str
    name: str
    message: type[BaseModel] | None
    answer: type[BaseModel] | None
    scope: str
    text: str


@dataclass(frozen=True)
class Told:
    """An event that the server sends: its data, who receives it, and whether it has a number in its room."""

    name: str
    data: type[BaseModel]
    to: str
    numbered: bool


def taken() -> list[Taken]:
    """Return the events that clients send, by name, without those of Socket.IO itself."""
    return sorted(_taken(), key=lambda event: (event.namespace, event.name))


def told() -> list[Told]:
    """Return the events that the server sends, by name."""
    return [Told(name, one.model, one.to, one.numbered) for name, one in sorted(sent().items())]


def _taken() -> Iterator[Taken]:
    for (namespace, name), handler in socketio.taken.items():
        if name not in LIFECYCLE:
            scope = getattr(handler, NEEDED, READ)
            yield Taken(namespace, name, model_of(handler), getattr(handler, ANSWER, None), scope, _says(handler))


def _says(handler: Handler) -> str:
    return (inspect.getdoc(handler) or "").partition("\n")[0]
