"""The API's description: what routes declare, /api/openapi.json made of it, and the page /api/docs that shows it."""

from chassis.web.openapi.describe import Answer, describe
from chassis.web.openapi.routes import blueprint

__all__ = ["Answer", "blueprint", "describe"]
