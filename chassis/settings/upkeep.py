"""When old data is deleted and the database is maintained."""

from pydantic import Field

from chassis.settings.section import Section
from chassis.settings.types import Cron, TimeZone


class UpkeepSettings(Section):
    """Upkeep"""

    schedule_time_zone: TimeZone = Field("UTC", description="The time zone of all schedules, such as `Europe/Berlin`.")
    retention_schedule: Cron = Field(
        "30 3 * * *", description="When data past its retention time is deleted (cron); empty turns it off."
    )
    retention_jobs_days: float = Field(30, ge=0, description="How long ended jobs are kept; 0 keeps them forever.")
    retention_job_lines_days: float = Field(
        14, ge=0, description="How long the log lines of jobs are kept; 0 keeps them as long as their job."
    )
    retention_audit_days: float = Field(
        365, ge=0, description="How long audit log entries are kept; 0 keeps them forever."
    )
    cleanup_schedule: Cron = Field(
        "15 4 * * *", description="When leftover temporary files are deleted (cron); empty turns it off."
    )
    sqlite_upkeep_schedule: Cron = Field(
        "45 4 * * *", description="When the SQLite file is optimised and shrunk (cron); empty turns it off."
    )
    sqlite_vacuum_max_bytes: int = Field(
        20_000_000,
        ge=0,
        description="Up to this size, a file that cannot shrink in steps is rewritten once so that it can; this "
        "blocks writers for about half a second per 20 MB.",
    )
