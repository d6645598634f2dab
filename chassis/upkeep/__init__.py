"""Scheduled jobs that keep a service healthy for years: retention, cleanup, SQLite's upkeep and backups."""


def register() -> None:
    """Register the kinds of jobs."""
    from chassis.upkeep import backups, cleanup, retention, sqlite_upkeep  # noqa: F401
