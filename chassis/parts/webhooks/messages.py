"""The messages of a webhook: a job's end, or a test."""

import json
import time
from typing import Any

from chassis.base.times import iso
from chassis.jobs.model import Job


def job_ended(job: Job) -> str:
    """Return the JSON body that reports a job's end."""
    return _body(f"job.{job.state}", job.as_dict())


def trial() -> str:
    """Return the body of a test message."""
    return _body("webhook.test", {})


def _body(kind: str, data: dict[str, Any]) -> str:
    return json.dumps({"type": kind, "timestamp": iso(time.time()), "data": data})
