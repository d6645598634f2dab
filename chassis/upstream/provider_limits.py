"""The provider's own limits, from the headers of its answers, as metrics."""

from collections.abc import Mapping

from chassis.observability.metrics import PROVIDER_LEFT, PROVIDER_LIMIT

LIMITS = {  # of OpenAI and those that follow it, of Anthropic, and of OpenRouter
    "requests": (
        ("x-ratelimit-limit-requests", "x-ratelimit-remaining-requests"),
        ("anthropic-ratelimit-requests-limit", "anthropic-ratelimit-requests-remaining"),
        ("x-ratelimit-limit", "x-ratelimit-remaining"),
    ),
    "tokens": (
        ("x-ratelimit-limit-tokens", "x-ratelimit-remaining-tokens"),
        ("anthropic-ratelimit-tokens-limit", "anthropic-ratelimit-tokens-remaining"),
    ),
}
MOST_DIGITS = 15


def note(headers: Mapping[str, str]) -> None:
    """Set the metrics from the headers of an answer that has them."""
    for of, names in LIMITS.items():
        for limit, left in names:
            found = headers.get(limit, ""), headers.get(left, "")
            if all(text.isascii() and text.isdigit() and len(text) <= MOST_DIGITS for text in found):
                PROVIDER_LIMIT.labels(of).set(int(found[0]))
                PROVIDER_LEFT.labels(of).set(int(found[1]))
                break
