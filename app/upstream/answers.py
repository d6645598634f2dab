"""What an answer of the outside API means: a completion, or which error."""

import json
import math
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import requests

from app.upstream.errors import UpstreamError

MAX_RETRY_AFTER_SECONDS = 120.0
MAX_DETAIL_CHARACTERS = 200


@dataclass(frozen=True, slots=True)
class Completion:
    """An answer: its text, the model that gave it, how many attempts it took, and what it cost in tokens."""

    text: str
    model: str
    attempts: int
    prompt_tokens: int | None
    completion_tokens: int | None


def read(response: requests.Response, *, model: str, attempts: int, key: str) -> Completion:
    """Return the completion in `response`, or raise the UpstreamError that it means."""
    body = _json(response)
    status = _status(response, body)
    if not 200 <= status < 300:
        raise failure(status, _detail(body, key), retry_after(response.headers.get("Retry-After")))
    try:
        text = body["choices"][0]["message"]["content"]
    except (KeyError, IndexError, TypeError):
        text = None
    if not isinstance(text, str):
        raise UpstreamError("upstream_malformed", "The outside API gave an answer without a text." + _detail(body, key))
    usage = body.get("usage")
    used = usage if isinstance(usage, dict) else {}
    answered_by = body.get("model")
    return Completion(
        text=text,
        model=answered_by if isinstance(answered_by, str) and answered_by else model,
        attempts=attempts,
        prompt_tokens=_count(used.get("prompt_tokens")),
        completion_tokens=_count(used.get("completion_tokens")),
    )


def failure(status: int, detail: str, pause_seconds: float | None) -> UpstreamError:
    """Return the error for an HTTP status; `detail` is what the API said, or empty."""
    if status in (401, 403):
        return UpstreamError(
            "upstream_unauthorized", f"The outside API refused access ({status}); check OPENROUTER_API_KEY.{detail}"
        )
    if status == 429:
        return UpstreamError(
            "upstream_rate_limited",
            f"The outside API says that it is asked too often (429).{detail}",
            retryable=True,
            retry_after=pause_seconds,
        )
    if status == 408 or status >= 500:
        return UpstreamError("upstream_unavailable", f"The outside API failed ({status}).{detail}", retryable=True)
    return UpstreamError("upstream_rejected", f"The outside API rejected the request ({status}).{detail}")


def retry_after(value: str | None) -> float | None:
    """Return the seconds that a Retry-After header asks for, seconds or an HTTP date, at most 120."""
    if not value:
        return None
    try:
        seconds = float(value)
    except ValueError:
        try:
            moment = parsedate_to_datetime(value)
        except ValueError:
            return None
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        seconds = (moment - datetime.now(UTC)).total_seconds()
    return None if math.isnan(seconds) else min(max(seconds, 0.0), MAX_RETRY_AFTER_SECONDS)


def _json(response: requests.Response) -> Any:
    try:
        return json.loads(response.content)
    except (ValueError, RecursionError):
        if 200 <= response.status_code < 300:
            message = "The outside API gave an answer that is not JSON; check UPSTREAM_BASE_URL."
            raise UpstreamError("upstream_malformed", message) from None
        return None


def _status(response: requests.Response, body: Any) -> int:
    """Return the HTTP status, or the one inside a 200: OpenRouter reports a model's failure that way."""
    error = body.get("error") if isinstance(body, dict) else None
    code = error.get("code") if isinstance(error, dict) else None
    if response.status_code == 200 and isinstance(code, int) and 400 <= code < 600:
        return code
    return response.status_code


def _detail(body: Any, key: str) -> str:
    error = body.get("error") if isinstance(body, dict) else None
    said = error.get("message") if isinstance(error, dict) else error
    if not isinstance(said, str) or not said.strip():
        return ""
    clean = " ".join((said.replace(key, "***") if key else said).split())
    short = clean if len(clean) <= MAX_DETAIL_CHARACTERS else clean[: MAX_DETAIL_CHARACTERS - 1] + "…"
    return f" It says: {short}"


def _count(value: Any) -> int | None:
    return value if type(value) is int else None
