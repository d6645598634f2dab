"""How much a key or an account may use."""

from pydantic import Field

from chassis.settings.section import Section


class QuotaSettings(Section):
    """Quotas"""

    quota_stored_bytes: int = Field(
        1_000_000_000, ge=0, description="Maximum bytes that a key or an account may store; 0 means no limit."
    )
    quota_jobs: int = Field(
        500, ge=0, description="Maximum queued and running jobs of a key or an account; 0 means no limit."
    )
    quota_uploads_per_day: int = Field(
        1_000, ge=0, description="Maximum files that a key or an account may upload per day (UTC); 0 means no limit."
    )
