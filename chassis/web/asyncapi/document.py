"""The AsyncAPI 3.0 document of the events, generated from the registered handlers and their pydantic models."""

import itertools
import re
from typing import Any, Literal

from pydantic import BaseModel

from chassis.base.service import current as service
from chassis.extensions import SOCKET_PATH
from chassis.realtime.contracts import Numbered
from chassis.web.asyncapi.events import Taken, Told, taken, told
from chassis.web.openapi.schemas import GIVEN, TAKEN, Mode, Schema, schemas

MAIN = "/"
NOT_IN_NAMES = re.compile(r"\W+")
PROTOCOL = "Socket.IO 5 over Engine.IO 4. The answer to an event is its acknowledgement."


class Mistake(BaseModel):
    """Why an event was refused: a code for programs, and a sentence for people."""

    code: str
    message: str
    details: dict[str, Any] | None = None


class Refused(BaseModel):
    """The answer to an event that was refused or failed."""

    ok: Literal[False]
    error: Mistake


def document(title: str, host: str, *, secure: bool) -> Schema:
    """Return the description of all events; `host` is the name and port of the service."""
    return _Writer(taken(), told()).document(title, host, secure=secure)


def servers(host: str, *, secure: bool) -> Schema:
    """Return the address of the service."""
    protocol = "wss" if secure else "ws"
    return {"service": {"host": host, "pathname": SOCKET_PATH, "protocol": protocol, "description": PROTOCOL}}


class _Writer:
    """Collects the channels, operations and messages, and each model once."""

    def __init__(self, taken: list[Taken], told: list[Told]) -> None:
        self._taken, self._told = taken, told
        asked: set[type[BaseModel]] = {event.message for event in taken if event.message}
        given: set[type[BaseModel]] = {Refused, Numbered}
        given |= {*(event.answer for event in taken if event.answer), *(event.data for event in told)}
        self._refs, self._schemas = schemas(given, asked)
        self._messages: Schema = {}
        self._channels: Schema = {}
        self._operations: Schema = {}

    def document(self, title: str, host: str, *, secure: bool) -> Schema:
        """Return the whole document."""
        for event in self._taken:
            self._add_taken(event)
        for news in self._told:
            self._add_told(news)
        return {
            "asyncapi": "3.0.0",
            "info": {"title": title, "version": service().version},
            "defaultContentType": "application/json",
            "servers": servers(host, secure=secure),
            "channels": self._channels,
            "operations": self._operations,
            "components": {"messages": self._messages, "schemas": self._schemas},
        }

    def _add_taken(self, event: Taken) -> None:
        name = self._free(_key(event.name if event.namespace == MAIN else f"{event.namespace}_{event.name}"))
        payload = self._ref(event.message, TAKEN) if event.message else {}
        message = self._message(event.namespace, name, event.name, event.text, payload)
        answer = self._ref(event.answer) if event.answer else {}
        either = {"oneOf": [answer, self._ref(Refused)]}
        reply = self._message(event.namespace, f"{name}_answer", f"answer to {event.name}", "", either)
        self._operations[name] = {
            "action": "receive",
            "channel": self._channel(event.namespace),
            "summary": event.text,
            "description": f"Needs the scope {event.scope}." if event.scope else "",
            "messages": [message],
            "reply": {"channel": self._channel(event.namespace), "messages": [reply]},
        }

    def _add_told(self, event: Told) -> None:
        name, data = self._free(_key(event.name)), self._ref(event.data)
        payload = {"allOf": [data, self._ref(Numbered)]} if event.numbered else data
        message = self._message(MAIN, name, event.name, f"Sent to {event.to}.", payload)
        summary = (event.data.__doc__ or "").partition("\n")[0]
        self._operations[name] = {
            "action": "send",
            "channel": self._channel(MAIN),
            "summary": summary,
            "description": f"Sent to {event.to}.",
            "messages": [message],
        }

    def _free(self, key: str) -> str:
        """Return a key that no message has: an event may be sent by both sides, and two names may have one key."""
        numbered = (f"{key}_{number}" for number in itertools.count(2))
        return next(name for name in itertools.chain([key], numbered) if name not in self._messages)

    def _message(self, namespace: str, key: str, name: str, text: str, payload: Schema) -> Schema:
        """Add a message to the components and to its channel, and return a reference to it."""
        self._messages[key] = {"name": name, "summary": text, "payload": payload}
        channel = self._channels.setdefault(_key(namespace), {"address": namespace, "messages": {}})
        channel["messages"][key] = {"$ref": f"#/components/messages/{key}"}
        return {"$ref": f"#/channels/{_key(namespace)}/messages/{key}"}

    def _channel(self, namespace: str) -> Schema:
        return {"$ref": f"#/channels/{_key(namespace)}"}

    def _ref(self, model: type[BaseModel], mode: Mode = GIVEN) -> Schema:
        return dict(self._refs[model, mode])


def _key(name: str) -> str:
    return NOT_IN_NAMES.sub("_", name).strip("_") or "main"
