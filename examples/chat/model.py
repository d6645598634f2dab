"""What answers and embeds: the outside API, or, in mock mode, code that needs no key and makes nothing up."""

import re
from collections.abc import Iterator, Sequence
from typing import Any

from app.features.chat.settings import ChatSettings
from chassis.base import excerpt
from chassis.errors import Unavailable
from chassis.search import BUILT_IN, embedded
from chassis.security import budgets
from chassis.settings import Settings
from chassis.upstream import Check, Message, sleep, upstream

MOCK = "mock"
WORD_SECONDS = 0.03
WORD = re.compile(r"\S+\s*")
QUOTES, QUOTE_CHARACTERS = 2, 300  # of a mock answer
NO_KEY = "No model is configured: OPENROUTER_API_KEY is not set."
FITTING = "Mock mode: no model is asked. These passages of the documents fit best:"
NOTHING = "Mock mode: no model is asked, and the documents contain none of these words."


class Model:
    """The process's model; `configure` decides what answers."""

    def configure(self, settings: Settings) -> None:
        """Set the model from the settings."""
        own = settings.section(ChatSettings)
        has_key = bool(settings.openrouter_api_key.get_secret_value())
        self.mock = own.chat_mock or not (has_key or settings.production)
        self.name = MOCK if self.mock else settings.upstream_model
        self.embedder = BUILT_IN if self.mock else own.chat_embedding_model
        self.problem = None if has_key or self.mock else NO_KEY
        self.answer_tokens, self.excerpts = own.chat_answer_tokens, own.chat_excerpts
        self.farthest = own.chat_max_distance

    def check(self, *, input_bytes: int = 0, index_bytes: int = 0) -> None:
        """Raise Unavailable without a model, and BudgetExceeded if the call would cost the caller too much."""
        if self.problem:
            raise Unavailable(self.problem, code="model_missing")
        if self.mock:
            return
        usages = {self.name: budgets.Usage(input_bytes, self.answer_tokens if input_bytes else 0)}
        if self.embedder != BUILT_IN:
            usages[self.embedder] = budgets.Usage(index_tokens=index_bytes)
        budgets.check_room(usages)

    def embed(self, texts: Sequence[str], cancelled: Check) -> list[list[float]]:
        """Return a vector for each text."""
        if self.embedder == BUILT_IN:
            return embedded(texts)
        return upstream.embed(texts, self.embedder, cancelled=cancelled)

    def answer(self, messages: Sequence[Message], sources: Sequence[dict[str, Any]], stopped: Check) -> Iterator[str]:
        """Yield the parts of an answer to the last message; raise what `upstream.stream` raises."""
        if self.mock:
            for word in WORD.findall(quoted(sources)):
                sleep(WORD_SECONDS, stopped)
                yield word
            return
        for part in upstream.stream(messages, parameters={"max_tokens": self.answer_tokens}, cancelled=stopped):
            yield part.text


def quoted(sources: Sequence[dict[str, Any]]) -> str:
    """Return the beginnings of the sources that fit best, with their numbers."""
    texts = [excerpt(source["text"], QUOTE_CHARACTERS).replace("`", "'") for source in sources[:QUOTES]]
    lines = [f"“{text}” [{number}]" for number, text in enumerate(texts, start=1)]
    return "\n\n".join([FITTING, *lines]) if lines else NOTHING


model = Model()
configure = model.configure
