"""The Flask class of this service: its JSON keeps the order of fields, and its requests are limited."""

from collections.abc import Callable
from functools import cached_property
from inspect import CO_COROUTINE
from typing import Any

from flask import Flask
from flask.json.provider import DefaultJSONProvider

from chassis.base import jsontext
from chassis.security.bodies import Request

COMPACT = {"separators": (",", ":")}  # the options that Flask uses for responses


class Json(DefaultJSONProvider):
    """Writes JSON in the order of the fields that a view returns."""

    sort_keys = False

    def dumps(self, obj: Any, **options: Any) -> str:
        """Return JSON like Flask, which creates an encoder for each response; here one is kept."""
        return self._compact(obj) if options == COMPACT else super().dumps(obj, **options)

    @cached_property
    def _compact(self) -> Callable[[Any], str]:
        return jsontext.encoder(self.default, ascii_only=self.ensure_ascii)


class Application(Flask):
    """A Flask application."""

    json_provider_class = Json
    request_class = Request

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """Return an ordinary function as it is; Flask takes 1 us to find that out, for each hook of each request."""
        code = getattr(func, "__code__", None)
        return super().ensure_sync(func) if code is None or code.co_flags & CO_COROUTINE else func
