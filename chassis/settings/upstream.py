"""The outside API and the rate of its calls."""

from pydantic import Field, SecretStr

from chassis.settings.section import Section


class UpstreamSettings(Section):
    """Outside API"""

    openrouter_api_key: SecretStr = Field(SecretStr(""), description="The key for the outside API.")
    upstream_base_url: str = Field(
        "https://openrouter.ai/api/v1",
        pattern=r"^https?://[^/]+",
        description="An OpenAI-compatible API; `/chat/completions` is appended.",
    )
    upstream_model: str = Field("openai/gpt-4o-mini", min_length=1, description="The model that is asked.")
    upstream_requests_per_second: float = Field(
        20,
        gt=0,
        le=100_000,
        description="Maximum calls started per second, over all workers of a "
        "machine, and over all machines with REDIS_URL. Each `flask jobs work` counts as a machine.",
    )
    upstream_burst: int = Field(1, ge=1, description="Calls that may start in a burst after a quiet time.")
    upstream_max_concurrent_requests: int = Field(
        20,
        ge=1,
        le=10_000,
        description="Maximum calls in flight, over all workers of a machine. Each "
        "`flask jobs work` counts as a machine.",
    )
    upstream_timeout_seconds: float = Field(60, gt=0, description="A call without an answer for this long fails.")
    upstream_first_part_timeout_seconds: float = Field(
        60, gt=0, description="A streamed answer that has not begun after this long fails, and is retried."
    )
    upstream_idle_timeout_seconds: float = Field(
        30, gt=0, description="A streamed answer that pauses for this long fails; comment lines do not count."
    )
    upstream_stream_seconds: float = Field(300, gt=0, description="Maximum duration of a streamed answer.")
    upstream_stream_usage: bool = Field(
        True,
        description="Ask for the number of tokens at the end of a streamed answer (`stream_options`); turn it off for "
        "an API that rejects this.",
    )
    upstream_max_response_bytes: int = Field(
        2_000_000,
        ge=10_000,
        description="Maximum size of an answer, compressed or not; larger answers fail.",
    )
    upstream_max_retries: int = Field(4, ge=0, le=20, description="Maximum retries of a call.")
    upstream_outage_seconds: float = Field(
        300, ge=0, description="How long calls are retried while no call is answered at all."
    )
