"""The API's description: the routes' declarations, /api/openapi.json generated from them, and the page /api/docs."""

from chassis.web.openapi.describe import Answer, describe
from chassis.web.openapi.routes import blueprint

__all__ = ["Answer", "blueprint", "describe"]
