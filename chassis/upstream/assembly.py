"""Puts a streamed answer together from its chunks."""

from dataclasses import replace
from typing import Any

from chassis.base.texts import REPLACEMENT, storable
from chassis.upstream import answers, refusals
from chassis.upstream.answers import Completion
from chassis.upstream.event_stream import Event
from chassis.upstream.replies import Reply, parsed
from chassis.upstream.usage import Usage, usage_in

END = "[DONE]"
FIRST_OF_PAIR = ("\ud800", "\udbff")  # half of a character that JSON writes as two escapes, maybe in two chunks
ENDS = ("finish_reason", "native_finish_reason")


class Assembly:
    """The answer so far: its text, why it ended, and its usage."""

    def __init__(self, key: str) -> None:
        self._key = key
        self._pieces: list[str] = []
        self._refusal: list[str] = []
        self._held, self._repaired = "", False
        self._told: dict[str, Any] = {}  # the model and the usage
        self._ends: dict[str, str] = {}
        self.bytes = 0  # of its text
        self.ended = False

    @property
    def text(self) -> str | None:
        """The text so far, or None."""
        return "".join(self._pieces) or None

    @property
    def finished(self) -> bool:
        """Whether the API has said that the answer ends, or why."""
        return self.ended or bool(self._ends)

    @property
    def usage(self) -> Usage:
        """The tokens so far, if the API has told them."""
        return usage_in(self._told)

    def take(self, event: Event) -> str:
        """Add an event, and return its text, which may be empty; raise UpstreamError when it is an error."""
        if not event.data.strip() or self.ended:
            return ""
        if event.data.strip() == END:
            self.ended = True
            return self._stored("", last=True)
        chunk = parsed(Reply(200, {}, event.data.encode(errors="replace")))
        self._refuse_errors(chunk, event)
        if not isinstance(chunk, dict):
            return ""
        self._told |= {name: chunk[name] for name in ("model", "usage") if chunk.get(name)}
        return self._choice(_first(chunk))

    def completion(self, model: str, attempts: int) -> Completion:
        """Return the whole answer; raise UpstreamError when it is cut, filtered, refused, broken or empty."""
        message = {"content": self.text, "refusal": "".join(self._refusal)}
        body = {**self._told, "choices": [{**self._ends, "message": message}]}
        return replace(answers.completion(body, model, attempts, self._key), repaired=self._repaired)

    def _refuse_errors(self, chunk: Any, event: Event) -> None:
        error = refusals.error_in(chunk) or (chunk if event.name == "error" else None)
        if error:
            said = refusals.detail({"error": error}, b"", self._key)
            raise refusals.failure(refusals.code_of(error) or 502, error, said)

    def _choice(self, choice: dict[str, Any]) -> str:
        if error := choice.get("error"):
            self._refuse_errors({"error": error}, Event("error", ""))
        self._ends |= {name: choice[name] for name in ENDS if isinstance(choice.get(name), str) and choice[name]}
        delta = choice.get("delta")
        said = delta if isinstance(delta, dict) else {}
        if isinstance(said.get("refusal"), str):
            self._refusal.append(said["refusal"])
        return self._stored(answers.text_in(said) or "", last=bool(self._ends))

    def _stored(self, text: str, *, last: bool) -> str:
        """Keep a piece of text in a form that can be stored, and return it; half a character waits for its rest."""
        text, self._held = self._held + text, ""
        if not last and text and FIRST_OF_PAIR[0] <= text[-1] <= FIRST_OF_PAIR[1]:
            text, self._held = text[:-1], text[-1]
        stored = storable(text)
        self._repaired = self._repaired or stored.count(REPLACEMENT) != text.count(REPLACEMENT)
        if stored:
            self._pieces.append(stored)
            self.bytes += len(stored.encode())
        return stored


def _first(chunk: dict[str, Any]) -> dict[str, Any]:
    """Return the choice with the number 0, or {}; a chunk may have none, as the one with the usage."""
    choices = chunk.get("choices")
    found = [one for one in choices if isinstance(one, dict)] if isinstance(choices, list) else []
    return next((one for one in found if one.get("index", 0) == 0), {})
