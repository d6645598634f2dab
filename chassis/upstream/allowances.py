"""Measures what the provider says about its own limits in the headers of its answers."""

from collections.abc import Mapping

from chassis.observability.metrics import UPSTREAM_ALLOWED, UPSTREAM_LEFT
from chassis.upstream.refusals import number_in

# OpenAI's names and those of APIs that follow it, Anthropic's, and the plain ones, which count requests.
NAMES = {
    "requests": (
        ("x-ratelimit-limit-requests", "x-ratelimit-remaining-requests"),
        ("anthropic-ratelimit-requests-limit", "anthropic-ratelimit-requests-remaining"),
        ("x-ratelimit-limit", "x-ratelimit-remaining"),
        ("ratelimit-limit", "ratelimit-remaining"),
    ),
    "tokens": (
        ("x-ratelimit-limit-tokens", "x-ratelimit-remaining-tokens"),
        ("anthropic-ratelimit-tokens-limit", "anthropic-ratelimit-tokens-remaining"),
    ),
}


def measure(headers: Mapping[str, str]) -> None:
    """Set the metrics of the provider's limits from an answer's headers; other answers leave them as they are."""
    for unit, names in NAMES.items():
        for limit_name, left_name in names:
            limit, left = number_in(headers.get(limit_name)), number_in(headers.get(left_name))
            if limit is not None:
                UPSTREAM_ALLOWED.labels(unit).set(limit)
            if left is not None:
                UPSTREAM_LEFT.labels(unit).set(left)
            if limit is not None or left is not None:
                break
