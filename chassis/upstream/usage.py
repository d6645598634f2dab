"""The tokens of a call, as the outside API tells them."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Usage:
    """The tokens that a call took in and gave out; None where the API did not tell."""

    prompt_tokens: int | None = None
    completion_tokens: int | None = None


def usage_in(body: Any) -> Usage:
    """Return the usage in the body of an answer or in a chunk of it."""
    found = body.get("usage") if isinstance(body, dict) else None
    used = found if isinstance(found, dict) else {}
    return Usage(_count(used.get("prompt_tokens")), _count(used.get("completion_tokens")))


def _count(value: Any) -> int | None:
    return value if type(value) is int and value >= 0 else None
