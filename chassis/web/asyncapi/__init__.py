"""The description of the events: /api/asyncapi.json, the page /api/docs/events, and types for TypeScript."""

from chassis.web.asyncapi.document import document
from chassis.web.asyncapi.routes import blueprint
from chassis.web.asyncapi.typescript import types

__all__ = ["blueprint", "document", "types"]
