"""Where and when backups are made, and how long they are kept."""

import re
from collections.abc import Iterable

from pydantic import Field

from chassis.settings import packages
from chassis.settings.section import Problem, Section
from chassis.settings.types import Cron

BUCKET = re.compile(r"s3://[^/@?]+(/|$)")


class BackupSettings(Section):
    """Backups"""

    backup_to: str = Field(
        "",
        description="A folder or `s3://bucket/prefix` for this instance only; by default `backups` beside the "
        "database.",
    )
    backup_keep_days: float = Field(7, ge=0, description="Older backups are removed after the next backup.")
    backup_keep_count: int = Field(3, ge=1, description="This many of the newest backups are kept whatever their age.")
    backup_schedule: Cron = Field("0 2 * * *", description="When a backup is made (cron); empty turns it off.")
    backup_drill_schedule: Cron = Field(
        "0 3 * * 0", description="When the newest backup is restored as a test (cron); empty turns it off."
    )
    backup_files: bool = Field(False, description="Scheduled backups contain the uploaded files too.")
    migrate_backup: bool = Field(True, description="Make a backup before migrations are applied (SQLite).")

    def problems(self) -> Iterable[Problem]:
        """Yield a problem with a backup location that cannot work."""
        if "://" in self.backup_to and not BUCKET.match(self.backup_to):
            yield "BACKUP_TO", "must be a folder or s3://bucket/prefix"
        if self.backup_to.startswith("s3://"):
            yield from packages.needed("BACKUP_TO", "boto3")
