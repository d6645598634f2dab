"""The core's own events: a viewer follows or unfollows a job."""

from typing import Any, Literal

from flask import Flask
from flask_socketio import emit
from pydantic import BaseModel, Field

from chassis import jobs
from chassis.extensions import socketio
from chassis.jobs.described import JobResponse
from chassis.realtime import access, contracts, recovery
from chassis.realtime.contracts import Event
from chassis.realtime.publisher import JOB_ROOMS, job_room
from chassis.realtime.recovery import Resumable
from chassis.security import maintenance
from chassis.wiring import wiring_of


class Stream(BaseModel):
    """The client's position in a room after joining it; `recovered` says that all missed events were sent."""

    room: str
    epoch: str
    seq: int
    recovered: bool


class Done(BaseModel):
    """The answer to an event that returns nothing else."""

    ok: Literal[True]


class JobFollowed(Done):
    """The job as it is now, and the position in its room."""

    job: JobResponse
    stream: Stream


class Missed(Event):
    """Events of the room were lost: fetch the state."""


class Draining(Event):
    """This worker stops, and closes its connections within that time; reconnecting reaches another one."""

    within_seconds: float
    retry_seconds: float = Field(description="Try again within this time, at a random moment.")


class Maintenance(Event):
    """Maintenance mode was turned on, for this reason, or off."""

    reason: str | None


class Present(Event):
    """Who joined and left a room, and how many are there now."""

    room: str
    joined: list[str]
    left: list[str]
    count: int


class JobReference(Resumable):
    """A job, and the last event about it that the client has seen."""

    id: str = Field(min_length=1, max_length=64)


def register(app: Flask) -> None:
    """Register the events; a feature may replace `connect` and `disconnect` with its own."""
    wiring_of(app).join_checks.append(check_job_room)
    contracts.sends("job:update", JobResponse, to="the viewers of the job, after each change")
    contracts.sends("presence:update", Present, to="the members of the room, at most twice a second")
    contracts.sends("room:missed", Missed, to="everyone in the room, after an outage")
    contracts.sends("service:maintenance", Maintenance, to="every client", numbered=False)
    contracts.sends("server:draining", Draining, to="every client of a worker that stops", numbered=False)
    socketio.on("connect")(connect)
    socketio.on("disconnect")(disconnect)
    socketio.on("job:subscribe")(subscribe)
    socketio.on("job:unsubscribe")(unsubscribe)


def connect() -> None:
    """Accept every client that passes the checks, and tell it when the service is in maintenance mode."""
    if (reason := maintenance.reason()) is not None:
        emit("service:maintenance", {"reason": reason})


def check_job_room(room: str) -> None:
    """Raise NotFound when the room belongs to a job that the current client may not see."""
    if room.startswith(JOB_ROOMS):
        jobs.seen(room.removeprefix(JOB_ROOMS))


def disconnect() -> None:
    """Do nothing: no state is kept for a viewer."""


@contracts.answers(JobFollowed)
def subscribe(message: JobReference) -> dict[str, Any]:
    """Follow a job; the answer has its current state."""
    # Join first, then read: a change in between arrives as an update.
    stream = recovery.join(job_room(message.id), message.after)
    return {"ok": True, "job": jobs.get(message.id).as_dict(), "stream": stream}


@contracts.answers(Done)
def unsubscribe(message: JobReference) -> dict[str, Any]:
    """Stop following a job."""
    access.leave(job_room(message.id))
    return {"ok": True}
