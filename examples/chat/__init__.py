"""Chat: questions about one's own documents, answered by a model as a stream, with citations."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from chassis.hooks import Hooks


def register(hooks: "Hooks") -> None:
    """Register the routes, the page, the live conversation and the rows that are deleted by age."""
    from app.features.chat import api, documents_api, live, model, pages, reading, retention

    hooks.pages(pages.blueprint, api.blueprint, documents_api.blueprint)
    hooks.navigation("Chat", "/chat")
    hooks.upload_type(*reading.KINDS)
    model.configure(hooks.settings)
    live.connect()
    retention.connect(hooks)
