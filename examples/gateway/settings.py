"""The gateway's own settings."""

import re
from collections.abc import Iterable

from pydantic import Field, SecretStr

from chassis.settings import Networks, Problem, Section, Settings, listed, weaknesses

PRIVATE = "127.0.0.0/8,10.0.0.0/8,172.16.0.0/12,192.168.0.0/16,::1/128,fc00::/7"
NAME, WORD = r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", r"[\x21-\x7e]{1,1000}"
BACKEND = re.compile(f"(?P<name>{NAME})=(?P<url>{WORD})( +(?P<key>{WORD}))?")


class GatewaySettings(Section):
    """Gateway (an example)"""

    gateway_backends: SecretStr = Field(
        SecretStr(""),
        description="Backends as `name=URL`, or `name=URL key`, separated by commas. The URL has the path before "
        "`/chat/completions`: `a=http://10.0.0.5:8000/v1`.",
    )
    gateway_registration_key: SecretStr = Field(
        SecretStr(""), description="Lets backends register themselves (`X-Registration-Key`); empty turns that off."
    )
    gateway_lease_seconds: float = Field(
        60, ge=1, le=86_400, description="A backend that registered itself is removed unless it renews in this time."
    )
    gateway_allowed_networks: Networks = Field(
        PRIVATE.split(","),
        validate_default=True,
        description="Networks that backends may be in. Add `0.0.0.0/0,::/0` for backends on the internet. Addresses "
        "of cloud metadata and other link-local ones are refused unless a network of their own lists them.",
    )
    gateway_queue_seconds: float = Field(
        10, ge=0, le=300, description="How long a request waits when all backends with its model are busy."
    )
    gateway_queue_per_key: int = Field(16, ge=1, description="Maximum waiting requests of a key in a worker.")
    gateway_queue_size: int = Field(256, ge=1, description="Maximum waiting requests in a worker.")
    gateway_retry_share: float = Field(
        0.2, ge=0, le=1, description="Maximum share of retries among the calls to backends, beyond the first ten."
    )
    gateway_cooldown_seconds: float = Field(
        10, gt=0, le=300, description="How long a failed backend gets no calls; it doubles up to five minutes."
    )
    gateway_idle_seconds: float = Field(
        60, gt=0, description="A backend that pauses for longer in the middle of an answer has failed."
    )
    gateway_hedge_seconds: float = Field(
        0, ge=0, description="Ask a second backend, too, if the first has no answer after this time; 0 means never."
    )
    gateway_stream_usage: bool = Field(
        True, description="Ask backends for the usage of streamed answers; turn off if one refuses `stream_options`."
    )
    gateway_log_contents: bool = Field(False, description="Store requests and answers with the log of calls.")
    retention_gateway_days: float = Field(30, ge=0, description="How long the log of calls is kept; 0 means forever.")
    health_check_interval_seconds: float = Field(60, ge=1, description="How often each backend is checked.")
    health_check_timeout_seconds: float = Field(10, gt=0, le=60, description="A check that takes longer has failed.")
    max_consecutive_failures: int = Field(
        3, ge=1, description="Calls, or checks, that fail in a row before a backend gets no more calls."
    )
    auto_deregister_after_failures: bool = Field(
        True, description="Remove a backend that registered itself after as many failed checks; it may register again."
    )
    request_timeout_seconds: float = Field(300, gt=0, description="The maximum time of one request to one backend.")
    max_retry_attempts: int = Field(
        2, ge=0, le=10, description="How often a failed request is sent to another backend."
    )

    def problems(self) -> Iterable[Problem]:
        """Return backends that cannot be read, and a registration key that is easily guessed."""
        if not all(BACKEND.fullmatch(one.get_secret_value()) for one in listed(self.gateway_backends)):
            yield "GATEWAY_BACKENDS", "must list name=URL or name=URL key, with letters, digits, `.`, `_`, `-` in names"
        yield from weaknesses("GATEWAY_REGISTRATION_KEY", [self.gateway_registration_key])

    @property
    def backends(self) -> list[tuple[str, str, str]]:
        """Return the name, base URL and key of the backends in GATEWAY_BACKENDS."""
        found = (BACKEND.fullmatch(one.get_secret_value()) for one in listed(self.gateway_backends))
        return [(one["name"], one["url"], one["key"] or "") for one in found if one]


def retention_days(settings: Settings) -> float:
    """Return how long the log of calls is kept."""
    return settings.section(GatewaySettings).retention_gateway_days
