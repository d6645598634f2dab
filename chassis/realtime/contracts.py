"""The contracts of events: models of what the server sends and of its answers, checked when one is sent.

In development and tests an event that does not fit its model raises ContractBroken where it is sent; in production it
is sent all the same, counted in `socket_contract_breaks_total`, and logged.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import structlog
from pydantic import BaseModel, ConfigDict, ValidationError

from chassis.errors import first_mistake
from chassis.extensions import Handler
from chassis.observability.metrics import SOCKET_CONTRACT_BREAKS
from chassis.settings import Settings

__all__ = ["ContractBroken", "Event", "Sent", "answers", "check", "check_answer", "sends", "sent"]

H = TypeVar("H", bound=Handler)
ANSWER = "socket_answer"
log = structlog.get_logger(__name__)


class Event(BaseModel):
    """The data of an event that the server sends; other fields and other types than the declared ones do not fit."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Place(BaseModel):
    """The number of an event in its room; `after` is the number of the room's event before it."""

    room: str
    epoch: str
    seq: int
    after: int


class Numbered(BaseModel):
    """What every event of a room has beside its own data."""

    stream: Place


class ContractBroken(Exception):
    """An event or an answer does not fit its model."""


@dataclass(frozen=True)
class Sent:
    """An event that the server sends: its model, who receives it, and whether it is numbered in its room."""

    model: type[BaseModel]
    to: str
    numbered: bool = True


_sent: dict[str, Sent] = {}
_strict = False


def configure(settings: Settings) -> None:
    """Raise on broken contracts, except in production."""
    global _strict
    _strict = settings.app_env != "production"


def sends(event: str, model: type[BaseModel], *, to: str, numbered: bool = True) -> None:
    """Declare an event that the server sends, for the description of the API and for the check of its data.

    `to` says who receives it, such as "the viewers of a job". Events that `publish` sends are numbered.
    """
    _sent[event] = Sent(model, to, numbered)


def sent() -> dict[str, Sent]:
    """Return the declared events that the server sends, by name."""
    return dict(_sent)


def answers(model: type[BaseModel]) -> Callable[[H], H]:
    """Declare the model of an event handler's answer. Goes below `@socketio.on`."""

    def decorate(handler: H) -> H:
        setattr(handler, ANSWER, model)
        return handler

    return decorate


def check(event: str, data: Any) -> None:
    """Compare an event's data with its declared model."""
    if declared := _sent.get(event):
        _compare(event, declared.model, data)


def check_answer(event: str, handler: Handler, answer: Any) -> None:
    """Compare a handler's answer with its declared model."""
    if model := getattr(handler, ANSWER, None):
        _compare(event, model, answer)


def _compare(event: str, model: type[BaseModel], data: Any) -> None:
    try:
        model.model_validate(data)
    except ValidationError as error:
        said = f"{event} does not fit {model.__name__}: {first_mistake(error, 'The data')}"
        if _strict:
            raise ContractBroken(said) from None
        SOCKET_CONTRACT_BREAKS.labels(event).inc()
        log.warning("socket_contract_broken", socket_event=event, error=said)
