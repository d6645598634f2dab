"""How a process runs jobs."""

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Literal

from pydantic import Field, SecretStr

from chassis.settings.packages import needed
from chassis.settings.section import Problem, Section
from chassis.settings.types import CommaList

if TYPE_CHECKING:
    from chassis.settings.core import Settings

ROUTE = re.compile(r"([\w.-]+)=([\w-]+)", re.ASCII)
DEFAULT_QUEUE = "jobs"


class JobSettings(Section):
    """Jobs"""

    jobs_engine: Literal["embedded", "celery"] = Field(
        "embedded",
        description="What tells workers of new jobs: `embedded` is the database alone, `celery` sends their ids to "
        "workers of Celery by JOBS_BROKER_URL. The database stays the only record of a job in both.",
    )
    jobs_broker_url: SecretStr = Field(
        SecretStr(""), description="Celery's message broker, such as `redis://host/1`; empty is REDIS_URL."
    )
    jobs_queues: CommaList = Field(
        (),
        description="Celery's queues of kinds, such as `backup=slow,digest=slow`; all other kinds are in the queue "
        "`jobs`. At the broker each queue's name begins with the service's name and a dot.",
    )
    jobs_embedded: bool = Field(
        True, description="Run jobs in the web process; if off, and with JOBS_ENGINE=celery, only workers run them."
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

    @property
    def queues(self) -> dict[str, str]:
        """Return the queue of each kind that JOBS_QUEUES names."""
        return dict(route.split("=", 1) for route in self.jobs_queues)

    def problems_with(self, settings: "Settings") -> Iterable[Problem]:
        """Yield the problems of the broker and of the queues."""
        for route in self.jobs_queues:
            if not ROUTE.fullmatch(route):
                yield "JOBS_QUEUES", f"holds {route!r}, which is not KIND=QUEUE"
        if self.jobs_engine == "celery":
            yield from needed("JOBS_ENGINE", "celery")
            if not settings.broker_url:
                yield "JOBS_ENGINE", "is celery, which needs JOBS_BROKER_URL or REDIS_URL"
            if settings.broker_url.startswith("redis"):
                yield from needed("JOBS_BROKER_URL", "redis", "redis")
