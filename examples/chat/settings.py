"""The settings of the chat."""

from collections.abc import Iterable

from pydantic import Field

from chassis.settings import Problem, Section, Settings


class ChatSettings(Section):
    """Chat"""

    chat_mock: bool = Field(
        False,
        description="Answer from the documents without asking a model (mock mode), also when a key is set. Without a "
        "key this is so anyway, except in production.",
    )
    chat_mock_in_production: bool = Field(False, description="Allow CHAT_MOCK in production.")
    chat_embedding_model: str = Field(
        "openai/text-embedding-3-small",
        min_length=1,
        description="The model that embeds documents and questions; `built-in` is the embedding of mock mode.",
    )
    chat_excerpts: int = Field(6, ge=1, le=20, description="Excerpts of documents that a question is answered from.")
    chat_answer_tokens: int = Field(1_000, ge=16, le=100_000, description="Maximum tokens of an answer.")
    chat_max_distance: float = Field(
        0.8,
        ge=0,
        le=2,
        description="Cosine distance up to which an excerpt fits that has no word of the question.",
    )
    retention_chat_days: float = Field(
        90, ge=0, description="How long unchanged conversations, and documents, are kept; 0 keeps them forever."
    )

    def problems_with(self, settings: Settings) -> Iterable[Problem]:
        """Refuse made-up answers in production unless they are allowed."""
        if self.chat_mock and settings.production and not self.chat_mock_in_production:
            yield "CHAT_MOCK", "is not allowed in production, unless CHAT_MOCK_IN_PRODUCTION is set"


def days(settings: Settings) -> float:
    """Return how long rows are kept."""
    return settings.section(ChatSettings).retention_chat_days
