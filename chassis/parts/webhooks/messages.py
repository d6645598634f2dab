"""The messages of a webhook: a job's end, a budget that is nearly or all spent, or a test."""

import json
import time
from dataclasses import asdict
from typing import Any

from chassis.base.times import iso
from chassis.jobs.model import Job
from chassis.security.ledger import Alert


def job_ended(job: Job) -> str:
    """Return the JSON body that reports a job's end."""
    return _body(f"job.{job.state}", job.as_dict())


def budget_reached(alert: Alert) -> str:
    """Return the body that reports a budget's 80 or 100 percent; amounts are in micro-units."""
    return _body("budget.alert", asdict(alert))


def trial() -> str:
    """Return the body of a test message."""
    return _body("webhook.test", {})


def _body(kind: str, data: dict[str, Any]) -> str:
    return json.dumps({"type": kind, "timestamp": iso(time.time()), "data": data})
