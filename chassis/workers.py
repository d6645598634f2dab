"""The background work of a worker: the job runner, and the loops that watch for changes or measure."""

from typing import Any

import structlog
from flask import Flask

from chassis.db import background, db
from chassis.db.probe import Probe
from chassis.extensions import socketio
from chassis.jobs import beat, figures
from chassis.jobs import lines as job_lines
from chassis.jobs.runner import Runner
from chassis.jobs.sender import Sender
from chassis.jobs.sweeper import Sweeper
from chassis.jobs.watchdog import Watchdog
from chassis.jobs.watcher import Watcher
from chassis.limits import limiter, machine
from chassis.observability import error_reports, profiling, tracing
from chassis.observability.history import History
from chassis.observability.lag import LagMonitor
from chassis.observability.metrics import WORKERS
from chassis.realtime import nodes, presence, publisher, recovery, revocation
from chassis.realtime.streams import stopping
from chassis.server.drain import Drain
from chassis.settings import Settings
from chassis.upstream import upstream
from chassis.wiring import keep, wiring_of

log = structlog.get_logger("chassis.workers")
_running: list[Any] = []


def start(worker: Any) -> None:
    """Start all background work for a gunicorn worker whose application is loaded."""
    app: Flask = worker.wsgi
    wiring = wiring_of(app)
    settings = wiring.settings
    _count_together(worker, settings)
    db.warm()
    db.watch()
    profiling.listen()
    readable = not settings.production and settings.effective_log_format != "json"
    lag, probe = LagMonitor(settings.hub_stall_seconds, readable=readable), Probe()
    wiring.health_checks["writable"] = probe.problem
    history = History(figures.figures, figures.NAMES, wiring.figures)
    keep(app, history)
    lookouts = [publisher.Publisher(), presence.Lookout(), revocation.Lookout(app)]
    parts: list[Any] = [lag, probe, history, Watcher(), *lookouts]
    if settings.jobs_engine == "celery":
        sender = Sender(settings)
        wiring.health_details["broker"] = sender.problem
        parts += [Watchdog(settings), sender, Sweeper(sender, settings)]
    elif settings.jobs_embedded:
        runner = Runner(app, settings)
        wiring.health_checks["runner"] = runner.problem
        parts.append(runner)
    else:
        parts.append(Watchdog(settings))
    parts += [background.Repeated(app, periodic) for periodic in wiring.background]
    parts.append(stopping.Keeper(settings))  # stopped first, so that clients learn it while they are connected
    wiring.health_details["workers"] = beat.problem
    if db.replica is not None:
        wiring.health_details["replica"] = db.replica.problem
    job_lines.start()
    for part in parts:
        part.start()
    nodes.begin()
    WORKERS.set(1)
    drain = Drain(worker, socketio.server, on_stop=lambda: _stop(parts))
    wiring.draining = lambda: drain.draining and not worker.handover.replaced
    drain.start()
    _running.append(drain)


def finish() -> None:
    """Wait until everything has stopped; gunicorn calls this when a worker exits."""
    for drain in _running:
        drain.finish()
    error_reports.flush()
    tracing.flush()


def _count_together(worker: Any, settings: Settings) -> None:
    """Let the limits of several workers count together."""
    shared = machine.join(worker.shared_limits)
    if shared is None:
        if settings.gunicorn_workers > 1:
            log.warning("limits_not_shared", hint="Restart the service: this worker counts separately until then.")
        return
    limiter.share(shared.buckets)
    upstream.share(settings, shared.pace, shared.calls)
    census = getattr(socketio.server.eio, "census", None)  # a library's own server has none
    if census is not None:  # an empty one is false
        census.share(shared.sessions)


def _stop(parts: list[Any]) -> None:
    for part in reversed(parts):
        part.stop()
    job_lines.flush()
    recovery.hand_on()
