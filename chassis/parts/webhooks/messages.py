"""What a webhook is told: a job's end, or a test."""

import json
import time
from typing import Any

from chassis.base.times import iso
from chassis.jobs.model import Job


def job_ended(job: Job) -> str:
    """Return the body that tells a job's end, as JSON."""
    return _body(f"job.{job.state}", job.as_dict())


def trial() -> str:
    """Return the body of a test."""
    return _body("webhook.test", {})


def _body(kind: str, data: dict[str, Any]) -> str:
    return json.dumps({"type": kind, "timestamp": iso(time.time()), "data": data})
