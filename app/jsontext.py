"""JSON of what is written often: `json.dumps` makes an encoder for each text, which takes longer than to use it."""

import json
from collections.abc import Callable
from typing import Any


def encoder(
    default: Callable[[Any], Any] | None = None,
    *,
    ascii_only: bool = True,
    allow_nan: bool = True,
    spaces: bool = False,
    sort_keys: bool = False,
) -> Callable[[Any], str]:
    """Return a function from values to JSON; `default` is given what is none, as json.dumps has it.

    The function raises TypeError for what stays none, ValueError for NaN and infinities where they are not allowed, and
    RecursionError for what contains itself.
    """
    texts = json.encoder.encode_basestring_ascii if ascii_only else json.encoder.encode_basestring
    colon, comma = (": ", ", ") if spaces else (":", ",")
    compiled = json.encoder.c_make_encoder(  # type: ignore[attr-defined]
        *(None, default or json.JSONEncoder().default, texts, None, colon, comma, sort_keys, False, allow_nan)
    )
    return lambda value: "".join(compiled(value, 0))
