"""Turns refusals of the outside API into errors, with what it said and how long it asks to wait."""

import json
import math
from collections.abc import Mapping
from datetime import UTC, datetime
from email.message import Message
from email.utils import parsedate_to_datetime
from typing import Any

from chassis.base.texts import excerpt
from chassis.upstream.errors import UpstreamError

MAX_RETRY_AFTER_SECONDS = 120.0
MAX_DETAIL_CHARACTERS = 200
USED_UP = {  # codes and types of errors that APIs use for an account that cannot pay
    "insufficient_quota",
    "insufficient_user_quota",
    "insufficient_balance",
    "insufficient_credits",
    "billing_hard_limit_reached",
    "billing_not_active",
    "payment_required",
}
NOT_FOUND = {"model_not_found", "deploymentnotfound"}


def failure(status: int, error: Any, detail: str, pause_seconds: float | None = None) -> UpstreamError:
    """Return the error for a status and the error in the body; `detail` is the API's message, or empty."""
    if status == 402 or is_used_up(error):
        message = f"The outside API refused the account: its credit or quota is used up ({status}).{detail}"
        return UpstreamError("upstream_no_credit", message)
    if status in (404, 405, 410) or status // 100 == 3 or _names(error) & NOT_FOUND:
        checked = "check UPSTREAM_MODEL and UPSTREAM_BASE_URL"
        message = f"The outside API does not have this model or address ({status}); {checked}.{detail}"
        return UpstreamError("upstream_not_found", message)
    if status == 403 and _is_moderation(error):
        return UpstreamError("upstream_filtered", f"The outside API refused the prompt ({status}).{detail}")
    if status in (401, 403):
        message = f"The outside API refused access ({status}); check OPENROUTER_API_KEY.{detail}"
        return UpstreamError("upstream_unauthorized", message)
    later: dict[str, Any] = {"retryable": True, "retry_after": pause_seconds}
    if status == 429:
        message = f"The outside API is rate-limiting this service (429).{detail}"
        return UpstreamError("upstream_rate_limited", message, **later)
    if status == 408 or status >= 500:
        return UpstreamError("upstream_unavailable", f"The outside API failed ({status}).{detail}", **later)
    return UpstreamError("upstream_rejected", f"The outside API rejected the request ({status}).{detail}")


def is_used_up(error: Any) -> bool:
    """Return whether an error says that the account's credit or quota is used up."""
    return bool(_names(error) & USED_UP)


def code_of(error: Any) -> int | None:
    """Return the HTTP status that an error contains, as a number or in digits."""
    code = error.get("code") if isinstance(error, dict) else None
    if isinstance(code, str) and code.isascii() and code.isdigit() and len(code) == 3:
        code = int(code)
    return code if type(code) is int and 400 <= code < 600 else None


def error_in(body: Any) -> Any:
    """Return the error in a body, wherever the API puts it, or None."""
    if isinstance(body, list) and body:  # Google's errors come in a list
        body = body[0]
    if not isinstance(body, dict):
        return None
    if body.get("error"):
        return body["error"]
    listed = body.get("errors")
    if isinstance(listed, list) and listed:
        return listed[0]
    is_error = (
        body.get("object") == "error" or body.get("type") == "error" or ("detail" in body and "choices" not in body)
    )
    return body if is_error else None


def detail(body: Any, raw: bytes, key: str) -> str:
    """Return the API's message as the end of a sentence, without the key and without markup, or ""."""
    try:
        said = " ".join(_sayings(error_in(body) or body)) if body is not None else raw[:4_000].decode(errors="replace")
    except RecursionError:  # some versions of Python parse JSON that is nested deeper than calls can be
        said = ""
    short = excerpt(said.replace(key, "***") if key else said, MAX_DETAIL_CHARACTERS)
    return f" It says: {short}" if short else ""


def pause_of(headers: Mapping[str, str] | Message) -> float | None:
    """Return how many seconds the headers ask to wait, at most 120, or None."""
    milliseconds = number_in(headers.get("retry-after-ms"))
    if milliseconds is not None:
        return _bounded(milliseconds / 1_000)
    return retry_after(headers.get("Retry-After"))


def retry_after(value: str | None) -> float | None:
    """Return the seconds of a Retry-After header, given in seconds or as an HTTP date, at most 120."""
    seconds = number_in(value)
    if seconds is not None or not value:
        return None if seconds is None else _bounded(seconds)
    try:
        moment = parsedate_to_datetime(value)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return _bounded((moment - datetime.now(UTC)).total_seconds())


def number_in(value: str | None) -> float | None:
    """Return the finite number of a header, or None."""
    try:
        number = float(value or "")
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _bounded(seconds: float) -> float:
    return min(max(seconds, 0.0), MAX_RETRY_AFTER_SECONDS)


def _names(error: Any) -> set[str]:
    found = [error.get("code"), error.get("type")] if isinstance(error, dict) else [error]
    return {name.lower() for name in found if isinstance(name, str)}


def _is_moderation(error: Any) -> bool:
    """Return whether the error concerns the prompt, in OpenRouter's format for moderated models."""
    found = error.get("metadata") if isinstance(error, dict) else None
    return isinstance(found, dict) and bool(found.get("reasons") or found.get("flagged_input"))


def _sayings(error: Any) -> list[str]:
    """Return an error's messages, including those of the provider behind the API."""
    if isinstance(error, str):
        return [error]
    if not isinstance(error, dict):
        return []
    said = [error[name] for name in ("message", "msg", "detail") if isinstance(error.get(name), str)]
    listed = error.get("detail")
    if isinstance(listed, list) and listed and isinstance(listed[0], dict):  # FastAPI's errors of validation
        said += _sayings(listed[0])
    metadata = error.get("metadata")
    raw = metadata.get("raw") if isinstance(metadata, dict) else None
    return [*said, *_sayings_of_provider(raw)]


def _sayings_of_provider(raw: Any) -> list[str]:
    try:
        inner = json.loads(raw) if isinstance(raw, str) and len(raw) < 10_000 else raw
    except (ValueError, RecursionError):
        inner = raw
    said = error_in(inner) or inner
    found = said.get("message") if isinstance(said, dict) else said
    return [found] if isinstance(found, str) else []
