"""Which rows of the chat are deleted by age."""

from app.features.chat import library, store
from app.features.chat.settings import ChatSettings
from chassis.hooks import Hooks
from chassis.settings import Settings


def connect(hooks: Hooks) -> None:
    """Register the tables with the job `retention`; uploaded files have RETENTION_FILES_DAYS."""
    hooks.retain("chat_conversations", _days, store.delete_old)
    hooks.retain("chat_documents", _days, library.delete_old)


def _days(settings: Settings) -> float:
    return settings.section(ChatSettings).retention_chat_days
