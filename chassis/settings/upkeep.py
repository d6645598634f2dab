"""When old data is deleted and the database is tidied up."""

from pydantic import Field

from chassis.settings.section import Section
from chassis.settings.types import Cron, TimeZone


class UpkeepSettings(Section):
    """Upkeep"""

    schedule_time_zone: TimeZone = Field("UTC", description="In which all schedules are, such as `Europe/Berlin`.")
    retention_schedule: Cron = Field(
        "30 3 * * *", description="When what is older than it may be is deleted (cron); empty is never."
    )
    retention_jobs_days: float = Field(30, ge=0, description="How long ended jobs are kept; 0 is for ever.")
    retention_audit_days: float = Field(365, ge=0, description="How long the audit log is kept; 0 is for ever.")
    cleanup_schedule: Cron = Field(
        "15 4 * * *", description="When left-over temporary files are deleted (cron); empty is never."
    )
    sqlite_upkeep_schedule: Cron = Field(
        "45 4 * * *", description="When the SQLite file is tidied up and shrunk (cron); empty is never."
    )
    sqlite_vacuum_max_bytes: int = Field(
        20_000_000,
        ge=0,
        description="Up to this size a file that cannot shrink in steps is written anew once, after which it can; "
        "it holds up writers for about half a second in 20 MB.",
    )
