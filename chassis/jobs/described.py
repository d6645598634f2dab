"""A job as the HTTP interface and the sockets describe it."""

from pydantic import AwareDatetime, BaseModel, Field

from chassis.jobs.model import State


class JobResponse(BaseModel):
    """A job, as `Job.as_dict` returns it."""

    id: str
    kind: str
    state: State
    done: int
    total: int
    message: str
    error: str | None
    attempt: int
    cancel_requested: bool
    revision: int = Field(description="Increases with every change.")
    created_at: AwareDatetime
    started_at: AwareDatetime | None
    finished_at: AwareDatetime | None
