"""Flask as this service uses it: its JSON in the order of the fields, its requests with bounds."""

from flask import Flask
from flask.json.provider import DefaultJSONProvider

from chassis.security.bodies import Request


class Json(DefaultJSONProvider):
    """Writes what views return in the order of its fields."""

    sort_keys = False


class Application(Flask):
    """A Flask application."""

    json_provider_class = Json
    request_class = Request
