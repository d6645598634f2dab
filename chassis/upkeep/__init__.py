"""Scheduled jobs that keep a service healthy for years: retention, cleanup, SQLite's upkeep and backups."""

from chassis.upkeep.batches import delete_in_batches

__all__ = ["delete_in_batches"]


def register() -> None:
    """Register the kinds of jobs."""
    from chassis.upkeep import backups, cleanup, retention, sqlite_upkeep  # noqa: F401
