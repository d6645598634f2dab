"""What a caller asks of the outside API."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Message = Mapping[str, Any]
"""A type: one message of a conversation in the API's form, such as `{"role": "user", "content": "Hello"}`."""
Prompt = str | Sequence[Message]
"""A type: a text, which becomes the message of a user, or the messages of a conversation."""


def latest(messages: Sequence[Message], *, most: int, characters: int) -> list[Message]:
    """Return the last messages of a conversation: at most so many, whose texts have at most so many characters."""
    kept = list[Message]()
    for message in reversed(messages[-most:] if most else ()):
        characters -= len(message["content"])
        if characters < 0:
            break
        kept.append(message)
    return kept[::-1]


def size(text: str) -> int:
    """Return the number of bytes of a text."""
    return len(text.encode(errors="surrogatepass"))


@dataclass(frozen=True, slots=True)
class Call:
    """The messages of a call, and the model and the parameters that its caller chose."""

    prompt: Prompt
    model: str | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)

    index = False  # whether its tokens are embedded for an index

    @property
    def input_bytes(self) -> int:
        """The size of the messages."""
        prompt = self.prompt
        text = prompt if isinstance(prompt, str) else json.dumps([dict(one) for one in prompt], ensure_ascii=False)
        return size(text)

    @property
    def output_tokens(self) -> int | None:
        """The caller's own maximum of the answer, or None."""
        found = self.parameters.get("max_completion_tokens", self.parameters.get("max_tokens"))
        return found if type(found) is int and found > 0 else None

    def body(self, model: str) -> dict[str, Any]:
        """Return the body of the request; `model` is asked unless the caller chose another one."""
        prompt = self.prompt
        messages = [{"role": "user", "content": prompt}] if isinstance(prompt, str) else [dict(one) for one in prompt]
        return {**self.parameters, "model": self.model or model, "messages": messages}

    def streamed_body(self, model: str, *, usage: bool) -> dict[str, Any]:
        """Return the body of a request for a streamed answer."""
        options = {"stream_options": {"include_usage": True}} if usage else {}
        return {**options, **self.body(model), "stream": True}
