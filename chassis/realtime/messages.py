"""Applies a handler's signature: its number of arguments, and the model of its message."""

import inspect
import typing
from functools import cache
from typing import Any

from pydantic import BaseModel, ValidationError

from chassis.errors import BadRequest, first_mistake
from chassis.extensions import Handler

ANY_NUMBER = 99


def called(handler: Handler, args: tuple[Any, ...]) -> Any:
    """Return the handler's result; raise BadRequest when the client's arguments do not match its signature."""
    values = _validated(handler, args)
    try:
        return handler(*values)
    except TypeError:
        if _fits(handler, values):
            raise
        raise BadRequest("The event has the wrong arguments.", code="invalid_message") from None


def _validated(handler: Handler, args: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return the arguments with the first one parsed, when the handler declares a pydantic model for it."""
    model = model_of(handler)
    if model is None:
        return args
    try:
        return (model.model_validate(args[0] if args else None), *args[1:])
    except ValidationError as error:
        raise BadRequest(first_mistake(error, "The message"), code="invalid_message") from None


def _fits(handler: Handler, values: tuple[Any, ...]) -> bool:
    try:
        inspect.signature(handler).bind(*values)
    except TypeError:
        return False
    return True


@cache
def takes(handler: Handler) -> int:
    """Return how many positional arguments a handler takes."""
    kinds = [parameter.kind for parameter in inspect.signature(handler).parameters.values()]
    return ANY_NUMBER if inspect.Parameter.VAR_POSITIONAL in kinds else len(kinds)


@cache
def model_of(handler: Handler) -> type[BaseModel] | None:
    """Return the model of a handler's message, which its first argument declares."""
    names = list(inspect.signature(handler).parameters)
    function = handler if inspect.isroutine(handler) else getattr(handler, "func", type(handler).__call__)
    declared = typing.get_type_hints(function).get(names[0]) if names else None
    return declared if isinstance(declared, type) and issubclass(declared, BaseModel) else None
