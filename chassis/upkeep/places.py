"""Folders that only one of several nodes has, although all of them use what is in it."""

from collections.abc import Iterator
from pathlib import Path

from chassis.base.environment import BASE_DIR
from chassis.settings import Settings


def of_one_node(settings: Settings) -> Iterator[tuple[str, Path]]:
    """Yield the setting and the folder of backups and files, where nodes share PostgreSQL and Redis.

    A folder on another file system than the project counts as mounted on every node.
    """
    if settings.sqlite_path or not settings.redis_url.get_secret_value():
        return
    data = settings.data_folder  # of the project: there is no file of SQLite
    if settings.backup_schedule and not settings.backup_to.startswith("s3://"):
        backups = Path(settings.backup_to or data / "backups")
        if _is_local(backups):
            yield "BACKUP_TO", backups
    if _is_local(data):
        yield "data", data


def _is_local(folder: Path) -> bool:
    there = BASE_DIR / folder
    while not there.exists():
        there = there.parent
    return there.stat().st_dev == BASE_DIR.stat().st_dev
