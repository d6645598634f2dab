"""The Flask class of this service: its JSON keeps the order of fields, and its requests are limited."""

from flask import Flask
from flask.json.provider import DefaultJSONProvider

from chassis.security.bodies import Request
from chassis.server.patches import for_werkzeug


class Json(DefaultJSONProvider):
    """Writes JSON in the order of the fields that a view returns."""

    sort_keys = False


class Application(Flask):
    """A Flask application."""

    json_provider_class = Json
    request_class = Request
    url_rule_class = for_werkzeug.rule_class()
