"""What runs beside the requests in a worker: the job runner, and whoever looks for changes or measures."""

from typing import Any

from flask import Flask

from chassis.db import db
from chassis.db.probe import Probe
from chassis.jobs import figures
from chassis.jobs.runner import Runner
from chassis.jobs.watcher import Watcher
from chassis.observability import error_reports, profiling, tracing
from chassis.observability.history import History
from chassis.observability.lag import LagMonitor
from chassis.observability.metrics import WORKERS
from chassis.realtime import presence, publisher, revocation
from chassis.server.drain import Drain
from chassis.settings import Settings

_running: list[Any] = []


def start(worker: Any) -> None:
    """Start everything for a gunicorn worker whose application is loaded."""
    app: Flask = worker.wsgi
    settings: Settings = app.extensions["settings"]
    db.warm()
    profiling.listen()
    lag, probe = LagMonitor(settings.hub_stall_seconds), Probe()
    app.extensions["health_checks"]["writable"] = probe.problem
    app.extensions["history"] = history = History(figures.figures, figures.NAMES)
    lookouts = [publisher.Publisher(), presence.Lookout(), revocation.Lookout(app)]
    parts: list[Any] = [lag, probe, history, Watcher(), *lookouts]
    if settings.jobs_embedded:
        runner = Runner(app, settings)
        app.extensions["health_checks"]["runner"] = runner.problem
        parts.append(runner)
    for part in parts:
        part.start()
    WORKERS.set(1)
    drain = Drain(worker, app.extensions["socketio"].server, on_stop=lambda: _stop(parts))
    app.extensions["draining"] = lambda: drain.draining and not worker.handover.replaced
    drain.start()
    _running.append(drain)


def finish() -> None:
    """Wait until everything has stopped; gunicorn calls it when a worker exits."""
    for drain in _running:
        drain.finish()
    error_reports.flush()
    tracing.flush()


def _stop(parts: list[Any]) -> None:
    for part in reversed(parts):
        part.stop()
