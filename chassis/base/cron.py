"""Computes the next time of a cron expression: five fields as in Debian's cron, or six with seconds first."""

from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cronsim import CronSim, CronSimError


def zone(name: str) -> tzinfo:
    """Return the time zone of a name such as Europe/Berlin; raise ValueError with a sentence."""
    if name == "UTC":
        return UTC  # which needs no system files
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"holds {name!r}, which is not a time zone known to this machine") from None


def check(expression: str) -> str:
    """Return the expression, or "" for never (`off`); raise ValueError with a sentence if it is invalid."""
    if expression.strip().lower() in ("", "off"):
        return ""
    try:
        next(CronSim(expression, datetime(2026, 1, 1, tzinfo=UTC)))
    except CronSimError as error:
        raise ValueError(f"holds {expression!r}, which is not a cron expression such as 30 3 * * * ({error})") from None
    except StopIteration:
        raise ValueError(f"holds {expression!r}, a date that never occurs") from None
    return expression


def next_after(expression: str, after: float, where: tzinfo) -> float:
    """Return the first time after a time, both in seconds since 1970.

    Times in the hour that clocks skip come right after it; times in the hour that they repeat come once, unless the
    expression matches every hour or more often.
    """
    times = CronSim(expression, datetime.fromtimestamp(after, where))
    return next(time for time in (found.timestamp() for found in times) if time > after)
