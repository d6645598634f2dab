"""How much a key or an account may use."""

from pydantic import Field

from chassis.settings.section import Section


class QuotaSettings(Section):
    """Quotas"""

    quota_stored_bytes: int = Field(
        1_000_000_000, ge=0, description="Bytes that a key or an account may store; 0 is no limit."
    )
    quota_jobs: int = Field(
        500, ge=0, description="Jobs of a key or an account that may wait or run at once; 0 is no limit."
    )
    quota_uploads_per_day: int = Field(
        1_000, ge=0, description="Files that a key or an account may upload in a day (UTC); 0 is no limit."
    )
