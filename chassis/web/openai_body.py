"""Reads requests in OpenAI's form, for services that OpenAI's clients talk to."""

from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BaseModel, Field
from pydantic_core import from_json, to_json

from chassis.errors import BadRequest
from chassis.security.budgets import Usage
from chassis.web.body import BODY, Text, checked_fields, json_text
from chassis.wiring import current_settings

MOST_CHOICES, MOST_TOKENS = 1_000, 10**9  # that one request can ask for
USAGE = {"stream_options": {"include_usage": True}}


class Prompt(BaseModel):
    """A request in OpenAI's form; all other parameters are passed on as they are."""

    model: Annotated[Text, Field(min_length=1, max_length=200)]
    stream: bool | None = None


@dataclass(frozen=True)
class OpenAIRequest:
    """A request: its model, whether it asks for a stream, and all of its parameters."""

    model: str
    streams: bool
    fields: dict[str, Any]

    @property
    def lacks_usage(self) -> bool:
        """Return whether it asks for a stream, and says nothing about the usage."""
        return self.streams and "stream_options" not in self.fields

    def body(self, *, adds_usage: bool = False) -> bytes:
        """Return the body to pass on, written anew: no name is in it twice, which two readers could take differently.

        `adds_usage` asks for the usage of a stream.
        """
        return to_json(self.fields | USAGE if adds_usage else self.fields, inf_nan_mode="null")

    def most(self, size: int) -> Usage:
        """Return the most that the request may use, of a body with that many bytes, for `budgets.reserve`.

        A token has at least one byte, and each choice for each prompt is charged. Texts to embed have no output.
        """
        if "input" in self.fields and not {"messages", "prompt"} & self.fields.keys():
            return Usage(index_tokens=size)
        limits = [_number(self.fields.get(name)) for name in ("max_completion_tokens", "max_tokens")]
        choices = [_number(self.fields.get(name)) for name in ("n", "best_of")]
        prompts, each = self.fields.get("prompt"), max(limits) or current_settings().budget_output_tokens
        several = len(prompts) if isinstance(prompts, list) and not _is_tokens(prompts) else 1
        return Usage(size, each * max(1, several) * min(max(1, *choices), MOST_CHOICES))


def openai_request() -> OpenAIRequest:
    """Return the request's body; raise BadRequest, or UnsupportedMediaType when the content type is not JSON."""
    try:
        fields = from_json(json_text(), allow_inf_nan=False)
    except ValueError:
        raise BadRequest("The body is not valid JSON.", code=BODY) from None
    if not isinstance(fields, dict):
        raise BadRequest("The body must be a JSON object.", code=BODY)
    prompt = checked_fields(Prompt, {name: fields[name] for name in Prompt.model_fields if name in fields})
    return OpenAIRequest(prompt.model, bool(prompt.stream), fields)


def _number(value: Any) -> int:
    """Return a count; other values are 0, and some APIs read 5.0 as 5."""
    return int(min(value, MOST_TOKENS)) if isinstance(value, int | float) and value > 0 else 0


def _is_tokens(prompt: list[Any]) -> bool:
    """Return whether a prompt is one text as a list of tokens, rather than several texts."""
    return all(isinstance(one, int) for one in prompt)
