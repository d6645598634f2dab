"""The Flask class of this service: its JSON keeps the order of fields, and its requests are limited."""

from collections.abc import Callable
from inspect import CO_COROUTINE
from typing import Any

from flask import Flask
from flask.json.provider import DefaultJSONProvider

from chassis.files.receiving import Request


class Json(DefaultJSONProvider):
    """Writes JSON in the order of the fields that a view returns."""

    sort_keys = False


class Application(Flask):
    """A Flask application."""

    json_provider_class = Json
    request_class = Request

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """Return a function that can be called without `await`; a request asks this of fourteen hooks and views."""
        code = getattr(func, "__code__", None)
        return super().ensure_sync(func) if code is None or code.co_flags & CO_COROUTINE else func
