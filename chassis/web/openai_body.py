"""Reads requests in OpenAI's form, for services that OpenAI's clients talk to."""

import math
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BaseModel, Field

from chassis.base import Unread, json_length, json_members
from chassis.errors import BadRequest
from chassis.security.budgets import Usage
from chassis.web.body import BODY, Text, checked_fields, json_text
from chassis.wiring import current_settings

MOST_CHOICES, MOST_TOKENS = 1_000, 10**9  # that one request can ask for
LIMITS, CHOICES = ("max_completion_tokens", "max_tokens"), ("n", "best_of")
TEXTS = ("input", "messages", "prompt")
READ = ("model", "stream", "stream_options", *LIMITS, *CHOICES, *TEXTS)  # the rest is for the API
USAGE = '{"stream_options": {"include_usage": true}, '


class Prompt(BaseModel):
    """A request in OpenAI's form; all other parameters are passed on as they are."""

    model: Annotated[Text, Field(min_length=1, max_length=200)]
    stream: bool | None = None


@dataclass(frozen=True)
class OpenAIRequest:
    """A request: its model, whether it asks for a stream, the parameters that are read here, and its text."""

    model: str
    streams: bool
    fields: dict[str, Any]
    text: str

    @property
    def lacks_usage(self) -> bool:
        """Return whether it asks for a stream, and says nothing about the usage."""
        return self.streams and "stream_options" not in self.fields

    def body(self, *, adds_usage: bool = False) -> bytes:
        """Return the body to pass on: no name is in it twice, which two readers could take differently.

        `adds_usage` asks for the usage of a stream.
        """
        return (self.text.replace("{", USAGE, 1) if adds_usage else self.text).encode()

    def most(self, size: int) -> Usage:
        """Return the most that the request may use, of a body with that many bytes, for `budgets.reserve`.

        A token has at least one byte, and each choice for each prompt is charged. Texts to embed have no output.
        """
        if "input" in self.fields and not {"messages", "prompt"} & self.fields.keys():
            return Usage(index_tokens=size)
        limits = [_number(self.fields.get(name)) for name in LIMITS]
        choices = [_number(self.fields.get(name)) for name in CHOICES]
        each = max(limits) or current_settings().budget_output_tokens
        return Usage(size, each * _texts(self.fields.get("prompt")) * min(max(1, *choices), MOST_CHOICES))


def openai_request() -> OpenAIRequest:
    """Return the request's body; raise BadRequest, or UnsupportedMediaType when the content type is not JSON.

    Nothing is built of the values that are only passed on: 2 MB of them would hold up all others for half a second.
    """
    text = json_text()
    try:
        fields = json_members(text, READ)
    except ValueError as error:
        raise BadRequest(f"The body must be a JSON object: {error}.", code=BODY) from None
    for name in (*LIMITS, *CHOICES):
        if isinstance(fields.get(name), float) and math.isnan(fields[name]):  # it would be charged as 0
            raise BadRequest(f"{name}: NaN is not JSON.", code=BODY)
    prompt = checked_fields(Prompt, {name: fields[name] for name in Prompt.model_fields if name in fields})
    return OpenAIRequest(prompt.model, bool(prompt.stream), fields, text)


def _number(value: Any) -> int:
    """Return a count; other values are 0, and some APIs read 5.0 as 5, with any number of zeros."""
    if isinstance(value, Unread):
        return MOST_TOKENS
    return int(min(value, MOST_TOKENS)) if isinstance(value, int | float) and value > 0 else 0


def _texts(prompt: Any) -> int:
    """Return how many texts a prompt is: a list may also be one text as its tokens."""
    if isinstance(prompt, Unread):
        begin = prompt[1:].lstrip()[:1] if prompt.startswith("[") else ""
        return max(1, json_length(prompt)) if begin in ('"', "[") else 1
    is_list = isinstance(prompt, list) and not all(isinstance(one, int) for one in prompt)
    return max(1, len(prompt)) if is_list else 1
