"""The calendar of budgets: days and months in the time zone of BUDGET_TIME_ZONE."""

from datetime import datetime, tzinfo


def day_of(at: float, zone: tzinfo) -> str:
    """Return the day of a time (seconds since 1970), such as 2026-11-30."""
    return datetime.fromtimestamp(at, zone).strftime("%Y-%m-%d")


def month_of(at: float, zone: tzinfo) -> str:
    """Return the month of a time, such as 2026-11."""
    return day_of(at, zone)[:7]


def end_of(month: str, zone: tzinfo) -> float:
    """Return when the month after a month begins, in seconds since 1970."""
    year, number = int(month[:4]), int(month[5:])
    following = (year + 1, 1) if number == 12 else (year, number + 1)
    return datetime(*following, 1, tzinfo=zone).timestamp()
