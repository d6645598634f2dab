"""A job: its states, and its row as an object."""

from dataclasses import dataclass
from typing import Any, Literal, get_args

from chassis.base.times import iso

QUEUED, RUNNING = "queued", "running"
SUCCEEDED, FAILED, CANCELLED, INTERRUPTED = "succeeded", "failed", "cancelled", "interrupted"
ENDED = (SUCCEEDED, FAILED, CANCELLED, INTERRUPTED)
State = Literal["queued", "running", "succeeded", "failed", "cancelled", "interrupted"]
"""A type: the states of a job."""
STATES: tuple[str, ...] = get_args(State)


@dataclass(frozen=True)
class Job:
    """One row of the jobs table; times are seconds since 1970."""

    id: str
    kind: str
    state: str
    payload: dict[str, Any]
    priority: int
    attempt: int
    done: int
    total: int
    message: str
    error: str | None
    owner: str | None
    lease_expires_at: float | None
    cancel_requested: bool
    not_before: float
    created_at: float
    queued_at: float
    started_at: float | None
    finished_at: float | None
    updated_at: float
    revision: int
    submitted_by: str = ""  # the owner of the identity that enqueued it; empty for commands and schedules
    submitted_with: str = ""  # the key that enqueued it, as key:ID

    def as_dict(self) -> dict[str, Any]:
        """Return the fields that APIs and sockets show; times are ISO 8601 in UTC."""
        shown = (
            "id",
            "kind",
            "state",
            "done",
            "total",
            "message",
            "error",
            "attempt",
            "cancel_requested",
            "revision",
        )
        times = ("created_at", "started_at", "finished_at")
        return {name: getattr(self, name) for name in shown} | {name: iso(getattr(self, name)) for name in times}
