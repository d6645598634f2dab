"""Flask with a shorter way to what it asks of each hook and view of every request."""

from collections.abc import Callable
from functools import cached_property
from inspect import CO_COROUTINE
from typing import Any

from flask import Flask
from flask.json.provider import DefaultJSONProvider

from chassis.base import jsontext
from chassis.security.bodies import Request

COMPACT = {"separators": (",", ":")}


class Json(DefaultJSONProvider):
    """Writes what views return in the order of its fields; set what is to be different before the first answer."""

    sort_keys = False

    def dumps(self, obj: Any, **options: Any) -> str:
        """Return JSON; an answer's by an encoder that is kept, to which what contains itself is a RecursionError."""
        return self._answer(obj) if options == COMPACT else super().dumps(obj, **options)

    @cached_property
    def _answer(self) -> Callable[[Any], str]:
        return jsontext.encoder(self.default, ascii_only=self.ensure_ascii, sort_keys=self.sort_keys)


class Application(Flask):
    """A Flask application."""

    json_provider_class = Json
    request_class = Request

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """Return a function that is no coroutine's as it is; a dozen are asked about in a request, at 2 us each."""
        code = getattr(func, "__code__", None)
        if code is not None and not code.co_flags & CO_COROUTINE:
            return func
        return super().ensure_sync(func)
