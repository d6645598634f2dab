"""Answers that are streamed to browsers and HTTP clients."""

from pydantic import Field

from chassis.settings.section import Section


class StreamSettings(Section):
    """Streams"""

    max_concurrent_streams: int = Field(
        50,
        ge=1,
        description="Maximum streams to clients at once in a worker; further ones end with an error event. A tenth "
        "more is kept for callers without one.",
    )
    stream_updates_per_second: float = Field(
        20, gt=0, le=1000, description="Maximum events per second of the streams that one room or socket receives."
    )
    stream_heartbeat_seconds: float = Field(
        15, gt=0, description="How often a stream without news shows its clients and proxies that it is alive."
    )
    stream_unwatched_seconds: float = Field(
        30, ge=0, description="A stream to a room ends when the room has been empty for this long; 0 means never."
    )
