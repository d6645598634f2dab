"""When a cron expression comes next: five fields as Debian's cron takes them, or six with the seconds first."""

from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cronsim import CronSim, CronSimError


def zone(name: str) -> tzinfo:
    """Return a time zone by its name, such as Europe/Berlin; raise ValueError with a sentence."""
    if name == "UTC":
        return UTC  # which needs no files of the system
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"holds {name!r}, which is not a time zone known to this machine") from None


def check(expression: str) -> str:
    """Return the expression, empty for never (`off`); raise ValueError with a sentence when it is none."""
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

    What falls into the hour that clocks skip comes right after it; what falls into the one that they repeat comes once,
    unless it comes every hour or more often.
    """
    times = CronSim(expression, datetime.fromtimestamp(after, where))
    return next(time for time in (found.timestamp() for found in times) if time > after)
