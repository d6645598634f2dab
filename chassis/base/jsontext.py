"""JSON within limits, and encoders that are kept: `json.dumps` makes one for each text, which takes longer."""

import json
from collections.abc import Callable
from typing import Any

MAX_BRACKETS = 50_000  # in a socket's message: 300,000 lists take 100 ms and 27 MB to build, out of 1 MB of text


def check_brackets(text: str | bytes) -> None:
    """Raise ValueError when a text would become too many lists and objects; brackets within its texts count too."""
    if len(text) > MAX_BRACKETS:
        opening = text.count("[") + text.count("{") if isinstance(text, str) else text.count(b"[") + text.count(b"{")
        if opening > MAX_BRACKETS:
            raise ValueError(f"more than {MAX_BRACKETS:,} lists and objects")


def loads(text: str | bytes, **options: Any) -> Any:
    """Return the value of a JSON text as `json.loads` does; raise ValueError when it has too many brackets."""
    check_brackets(text)
    return json.loads(text, **options)


def dumps(value: Any, **options: Any) -> str:
    """Return JSON as `json.dumps` does."""
    return json.dumps(value, **options)


def encoder(
    default: Callable[[Any], Any] | None = None,
    *,
    ascii_only: bool = True,
    allow_nan: bool = True,
    spaces: bool = False,
) -> Callable[[Any], str]:
    """Return a function from values to JSON; `default` is given what is not JSON, as json.dumps has it.

    The function raises TypeError for other values, ValueError for NaN and infinities where they are not allowed, and
    RecursionError for what contains itself.
    """
    separators = (", ", ": ") if spaces else (",", ":")
    kept = json.JSONEncoder(
        separators=separators, default=default, ensure_ascii=ascii_only, allow_nan=allow_nan, check_circular=False
    )
    return kept.encode
