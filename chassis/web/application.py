"""The Flask class of this service: its JSON keeps the order of fields, and its requests are limited."""

from collections.abc import Callable
from inspect import CO_COROUTINE
from typing import Any

from flask import Flask
from flask.json.provider import DefaultJSONProvider
from flask.sansio.app import App
from flask.templating import DispatchingJinjaLoader
from jinja2 import Environment, FileSystemLoader, TemplateNotFound

from chassis.base.environment import BASE_DIR
from chassis.files.receiving import Request

Source = tuple[str, str | None, Callable[[], bool] | None]


class Json(DefaultJSONProvider):
    """Writes JSON in the order of the fields that a view returns."""

    sort_keys = False


class OwnTemplatesFirst(DispatchingJinjaLoader):
    """Looks for each template in `app/templates` first, so that a service can replace any page or e-mail."""

    def __init__(self, app: App) -> None:
        super().__init__(app)
        self._own = FileSystemLoader(BASE_DIR / "app/templates")

    def get_source(self, environment: Environment, template: str) -> Source:
        """Return a template's text, its path, and a function that says whether it is unchanged."""
        try:
            return self._own.get_source(environment, template)
        except TemplateNotFound:
            return super().get_source(environment, template)

    def list_templates(self) -> list[str]:
        """Return the names of all templates."""
        return sorted({*self._own.list_templates(), *super().list_templates()})


class Application(Flask):
    """A Flask application."""

    json_provider_class = Json
    request_class = Request

    def create_global_jinja_loader(self) -> DispatchingJinjaLoader:
        """Return what finds the templates."""
        return OwnTemplatesFirst(self)

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """Return a function that can be called without `await`; a request asks this of fourteen hooks and views."""
        code = getattr(func, "__code__", None)
        return super().ensure_sync(func) if code is None or code.co_flags & CO_COROUTINE else func
