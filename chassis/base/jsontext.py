"""JSON with limits, and reusable encoders: `json.dumps` creates one for each call, which takes longer."""

import json
from collections.abc import Callable
from typing import Any

MAX_BRACKETS = 50_000  # per socket message: 300,000 lists, from 1 MB of text, take 100 ms and 27 MB to build


def check_brackets(text: str | bytes) -> None:
    """Raise ValueError if a text has too many lists and objects; brackets inside strings count too."""
    if len(text) > MAX_BRACKETS:
        opening = text.count("[") + text.count("{") if isinstance(text, str) else text.count(b"[") + text.count(b"{")
        if opening > MAX_BRACKETS:
            raise ValueError(f"more than {MAX_BRACKETS:,} lists and objects")


def loads(text: str | bytes, **options: Any) -> Any:
    """Return the value of a JSON text like `json.loads`; raise ValueError if it has too many brackets."""
    check_brackets(text)
    return json.loads(text, **options)


def dumps(value: Any, **options: Any) -> str:
    """Return JSON like `json.dumps`."""
    return json.dumps(value, **options)


def encoder(
    default: Callable[[Any], Any] | None = None,
    *,
    ascii_only: bool = True,
    allow_nan: bool = True,
    spaces: bool = False,
) -> Callable[[Any], str]:
    """Return a function that encodes values as JSON; `default` converts other objects, as in json.dumps.

    The function raises TypeError for other values, ValueError for NaN and infinities if they are not allowed, and
    RecursionError for values that contain themselves.
    """
    separators = (", ", ": ") if spaces else (",", ":")
    kept = json.JSONEncoder(
        separators=separators, default=default, ensure_ascii=ascii_only, allow_nan=allow_nan, check_circular=False
    )
    return kept.encode
