"""How a process runs jobs."""

from pydantic import Field

from chassis.settings.section import Section


class JobSettings(Section):
    """Jobs"""

    jobs_embedded: bool = Field(True, description="Run jobs in the web process; else only `flask jobs work` does.")
    jobs_concurrency: int = Field(4, ge=1, le=1_000, description="Jobs a process runs at once.")
    job_lease_seconds: float = Field(
        30, ge=1, description="A running job whose owner did not renew its lease for this long is stalled."
    )
    jobs_grace_seconds: float = Field(
        3, ge=0, description="How long running jobs may reach a safe point when the process stops."
    )
