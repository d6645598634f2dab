"""The console's live updates by socket: one event a second while the page is open somewhere, otherwise none."""

import threading
import time
from typing import Any

import structlog
from flask import Flask, current_app, request
from pydantic import Field

from chassis.extensions import socketio
from chassis.hooks import Hooks
from chassis.jobs import Job
from chassis.jobs.signals import job_changed
from chassis.parts.console import listing, stats
from chassis.parts.console.listing import ConsoleJob
from chassis.realtime import Event, access, contracts, sends
from chassis.realtime.event_rates import limit
from chassis.security import guard, maintenance
from chassis.security.identity import ADMIN

log = structlog.get_logger(__name__)
ROOM, EVENT = "admin:console", "console:tick"
EVERY_SECONDS = 1.0
HEALTH_EVERY = 5  # ticks
MAX_JOBS = 200  # per tick


class ConsoleTick(Event):
    """The figures of this moment, and the jobs that changed since the last one."""

    figures: dict[str, float | None]
    upstream: dict[str, Any]
    maintenance: str | None
    sessions_by_pid: dict[str, int]
    jobs: list[ConsoleJob]
    more: bool = Field(description="More jobs changed than fit: fetch the list.")
    ready: bool | None = Field(None, description="With `checks`, in every fifth one.")
    checks: dict[str, dict[str, Any]] | None = None


class Ticker:
    """Sends the figures and the changed jobs, from a thread that runs while somebody has the page open.

    The signal for a changed job carries its row, so that nothing is read for it, however many change.
    """

    def __init__(self) -> None:
        self._changing = threading.Lock()
        self._running = False
        self._changed: dict[str, Job] = {}
        self._more = False

    def ensure(self, app: Flask) -> None:
        """Start sending, unless the thread already runs."""
        with self._changing:
            if self._running:
                return
            self._running = True
        job_changed.connect(self._note)
        socketio.start_background_task(self._loop, app)

    def _note(self, job: Job) -> None:
        with self._changing:
            self._changed[job.id] = job
            if len(self._changed) > MAX_JOBS:
                self._changed.pop(next(iter(self._changed)))
                self._more = True

    def _loop(self, app: Flask) -> None:
        number = 0
        while self._goes_on():
            try:
                with app.app_context():
                    told = self._tick(number)
                    contracts.check(EVENT, told)
                    socketio.emit(EVENT, told, to=ROOM, ignore_queue=True)
            except Exception:
                log.exception("console_error")
            number += 1
            time.sleep(EVERY_SECONDS)

    def _goes_on(self) -> bool:
        with self._changing:
            self._running = access.watched(ROOM)
            if not self._running:
                job_changed.disconnect(self._note)
                self._changed, self._more = {}, False
            return self._running

    def _tick(self, number: int) -> dict[str, Any]:
        with self._changing:
            changed, more = self._changed, self._more
            self._changed, self._more = {}, False
        told: dict[str, Any] = {"figures": stats.now(), "upstream": stats.upstream_state(), "more": more}
        told |= {"maintenance": maintenance.reason(), "sessions_by_pid": stats.sessions_by_pid()}
        told["jobs"] = [listing.brief(job) for job in changed.values()]
        return told | (stats.readiness() if number % HEALTH_EVERY == 0 else {})


ticker = Ticker()


def register(hooks: Hooks) -> None:
    """Register the event, and restrict the room to admins."""
    hooks.join_check(_check_room)
    sends(EVENT, ConsoleTick, to="everyone who has the console open, once a second", numbered=False)
    socketio.on("console:watch")(watch)


@guard.needs(ADMIN)
@limit(2, burst=20)  # each page of the console asks once
def watch() -> dict[str, Any]:
    """Start following the console; return the whole state of the worker that this client is connected to."""
    access.join(ROOM)
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    ticker.ensure(app)
    return {"ok": True, **stats.stats()}


def _check_room(room: str) -> None:
    if room == ROOM:
        guard.check_admin(request.remote_addr)
