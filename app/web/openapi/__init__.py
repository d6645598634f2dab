"""The API's description: what routes declare, /api/openapi.json made of it, and the page /api/docs that shows it."""

from app.web.openapi.describe import Answer, describe
from app.web.openapi.routes import blueprint

__all__ = ["Answer", "blueprint", "describe"]
