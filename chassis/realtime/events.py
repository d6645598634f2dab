"""The core's own events: a viewer follows or unfollows a job."""

from typing import Any

from flask import Flask
from flask_socketio import emit
from pydantic import Field

from chassis import jobs
from chassis.extensions import socketio
from chassis.realtime import access, recovery
from chassis.realtime.publisher import JOB_ROOMS, job_room
from chassis.realtime.recovery import Resumable
from chassis.security import maintenance
from chassis.wiring import wiring_of


class JobReference(Resumable):
    """A job, and the last event about it that the client has seen."""

    id: str = Field(min_length=1, max_length=64)


def register(app: Flask) -> None:
    """Register the events; a feature may replace `connect` and `disconnect` with its own."""
    wiring_of(app).join_checks.append(check_job_room)
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


def subscribe(message: JobReference) -> dict[str, Any]:
    """Join first, then read the job: a change in between arrives as an update."""
    stream = recovery.join(job_room(message.id), message.after)
    return {"ok": True, "job": jobs.get(message.id).as_dict(), "stream": stream}


def unsubscribe(message: JobReference) -> dict[str, Any]:
    """Stop following a job."""
    access.leave(job_room(message.id))
    return {"ok": True}
