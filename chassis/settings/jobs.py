"""How a process runs jobs."""

from pydantic import Field

from chassis.settings.section import Section


class JobSettings(Section):
    """Jobs"""

    jobs_embedded: bool = Field(
        True, description="Run jobs in the web process; if off, only `flask jobs work` runs them."
    )
    jobs_concurrency: int = Field(4, ge=1, le=1_000, description="Maximum jobs that a process runs at once.")
    jobs_max_concurrency: int = Field(
        0, ge=0, description="Maximum jobs that all processes together run at once; 0 means no limit."
    )
    jobs_cpu_processes: int = Field(
        0, ge=0, le=1_000, description="Maximum CPU-bound jobs that a worker runs at once; 0 is the number of cores."
    )
    jobs_time_limit_seconds: float = Field(
        0, ge=0, description="How long a job may run whose kind has no time limit of its own; 0 means no limit."
    )
    job_lease_seconds: float = Field(
        30, ge=1, description="A running job whose process has not renewed its lease for this long is stalled."
    )
    jobs_grace_seconds: float = Field(
        3, ge=0, description="How long running jobs have to reach a safe point when the process stops."
    )
