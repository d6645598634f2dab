"""Turns an answer of the outside API into a completion or an error."""

from dataclasses import dataclass
from typing import Any

from chassis.base.texts import excerpt, storable
from chassis.upstream import refusals
from chassis.upstream.errors import UpstreamError
from chassis.upstream.replies import Reply, parsed
from chassis.upstream.usage import Usage, usage_in

MAX_MODEL_CHARACTERS = 200
# Finish reasons of several APIs; all others count as a normal end.
CUT = {"length", "max_tokens", "max_output_tokens", "model_length"}
FILTERED = {"content_filter", "safety", "recitation", "blocklist", "prohibited_content", "spii", "refusal", "sensitive"}
BROKEN = {
    "error",
    "abort",
    "aborted",
    "canceled",
    "cancelled",
    "failed",
    "incomplete",
    "timeout",
    "network_error",
    "insufficient_system_resource",
    "malformed_function_call",
}


@dataclass(frozen=True, slots=True)
class Completion:
    """An answer: its text, its model, the number of attempts, and its cost in tokens.

    `repaired` means that U+FFFD replaces characters in the text that no database can store.
    """

    text: str
    model: str
    attempts: int
    prompt_tokens: int | None
    completion_tokens: int | None
    repaired: bool = False

    @property
    def usage(self) -> Usage:
        """The tokens of the call."""
        return Usage(self.prompt_tokens, self.completion_tokens)


def read(reply: Reply, *, model: str, attempts: int, key: str) -> Completion:
    """Return the completion in a reply, or raise the matching UpstreamError, which has the usage if it was told."""
    body = good_body(reply, key)
    try:
        return completion(body, model, attempts, key)
    except UpstreamError as failed:
        failed.usage = usage_in(body)
        raise


def good_body(reply: Reply, key: str) -> Any:
    """Return the JSON of a reply; raise the matching UpstreamError if it has an error in it."""
    body = parsed(reply)
    error = refusals.error_in(body)
    detail = refusals.detail(body, reply.body, key) if error or not reply.good else ""
    status = (refusals.code_of(error) if reply.status == 200 else None) or reply.status
    if not 200 <= status < 300 or refusals.is_used_up(error):
        raise refusals.failure(status, error, detail, refusals.pause_of(reply.headers))
    if error:
        raise UpstreamError("upstream_malformed", "The outside API returned an error instead of an answer." + detail)
    return body


def completion(body: Any, model: str, attempts: int, key: str) -> Completion:
    """Return the completion in a body without an error; raise UpstreamError if it is incomplete or a refusal."""
    choice = _first(body)
    given = text_in(_message(choice))
    text = None if given is None else storable(given)
    _check_end(choice, text, key)
    if text is None or not text.strip():
        raise UpstreamError("upstream_malformed", "The outside API returned an answer without text.")
    usage, answered_by = usage_in(body), body.get("model")
    return Completion(
        text=text,
        model=(excerpt(answered_by, MAX_MODEL_CHARACTERS) if isinstance(answered_by, str) else "") or model,
        attempts=attempts,
        prompt_tokens=usage.prompt_tokens,
        completion_tokens=usage.completion_tokens,
        repaired=text != given,
    )


def _first(body: Any) -> dict[str, Any]:
    """Return the first choice, or {} if there is none."""
    choices = body.get("choices") if isinstance(body, dict) else None
    first = choices[0] if isinstance(choices, list) and choices else None
    return first if isinstance(first, dict) else {}


def _message(choice: dict[str, Any]) -> dict[str, Any]:
    message = choice.get("message")
    return message if isinstance(message, dict) else {}


def text_in(message: dict[str, Any]) -> str | None:
    """Return the text of a message or of a piece of it, joining its parts."""
    content = message.get("content")
    if isinstance(content, str):
        return content
    parts = [_part(part) for part in content] if isinstance(content, list) else []
    texts = [part for part in parts if part is not None]
    return "".join(texts) if texts else None


def _part(part: Any) -> str | None:
    text = part.get("text") if isinstance(part, dict) and part.get("type", "text") in ("text", "output_text") else part
    return text if isinstance(text, str) else None


def _check_end(choice: dict[str, Any], text: str | None, key: str) -> None:
    """Raise UpstreamError if the answer is incomplete or is a refusal."""
    error = choice.get("error") or _message(choice).get("error")
    ends = {str(choice.get(name) or "").lower() for name in ("finish_reason", "native_finish_reason")}
    refusal = _message(choice).get("refusal")
    if error:
        detail = refusals.detail({"error": error}, b"", key)
        raise refusals.failure(refusals.code_of(error) or 502, error, detail)
    if ends & BROKEN:
        message = "The model failed in the middle of its answer."
        raise UpstreamError("upstream_unavailable", message, retryable=True, text=text)
    if isinstance(refusal, str) and refusal.strip():
        said = refusals.detail(refusal, b"", key)
        raise UpstreamError("upstream_filtered", "The model refused to answer." + said, text=text)
    if ends & FILTERED:
        raise UpstreamError("upstream_filtered", "The answer was stopped by the outside API's filter.", text=text)
    if ends & CUT:
        message = "The answer was cut off at the model's output limit."
        raise UpstreamError("upstream_cut", message, text=text)
