"""What keeps the service going for years: kinds of jobs that come by the clock. Features join by their own kinds."""


def register() -> None:
    """Make the kinds known."""
    from chassis.maintenance import backups, cleanup, retention, sqlite_upkeep  # noqa: F401
