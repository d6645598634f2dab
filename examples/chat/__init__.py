"""Chat: questions about one's own documents, answered by a model as a stream, with citations."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from chassis.hooks import Hooks


def register(hooks: "Hooks") -> None:
    """Register the routes, the page, the live conversation, and rows that end by age or with their owner."""
    from app.features.chat import api, documents_api, events, library, model, pages, settings, store, tables
    from chassis import files
    from chassis.realtime import sends
    from chassis.security import leaving

    hooks.pages(pages.blueprint, api.blueprint, documents_api.blueprint)
    hooks.navigation("Chat", "/chat")
    hooks.upload_type(*files.TEXT_TYPES)
    model.configure(hooks.settings)
    sends("chat:changed", events.Changed, to="everyone who follows the conversation")
    hooks.retain("chat_conversations", settings.days, store.delete_old)
    hooks.retain("chat_documents", settings.days, library.delete_old)
    hooks.leaving(leaving.owned(tables.conversations, "conversations", named="title"))
    hooks.leaving(leaving.owned(tables.documents, "documents", named="name"))
