"""Times as shown to users."""

from datetime import UTC, datetime

DAY_SECONDS = 86_400


def iso(seconds: float | None) -> str | None:
    """Return seconds since 1970 as ISO 8601 in UTC with milliseconds."""
    if seconds is None:
        return None
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
