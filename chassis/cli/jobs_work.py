"""`flask jobs work`: run jobs in a separate process."""

import signal
from typing import Any

import click
import structlog
from flask import current_app
from flask.cli import ScriptInfo

from chassis import features
from chassis.cli.jobs import group
from chassis.db import db
from chassis.jobs import lines
from chassis.jobs.cpu import Pool
from chassis.jobs.runner import Runner
from chassis.upstream import upstream
from chassis.wiring import current_settings

log = structlog.get_logger(__name__)


@group.command()
def work() -> None:
    """Run jobs, including CPU-bound kinds, until SIGTERM or Ctrl-C; SIGHUP reloads the keys."""
    app, settings = current_app._get_current_object(), current_settings()  # type: ignore[attr-defined]
    found = click.get_current_context().find_object(ScriptInfo)
    runner = Runner(app, settings, cpu_bound=True, pool=Pool(settings, found.app_import_path if found else None))

    def stop(number: int, _frame: Any) -> None:
        raise SystemExit(0)

    def reload(number: int, _frame: Any) -> None:
        upstream.configure(features.load())
        log.info("settings_read_again")

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    signal.signal(signal.SIGHUP, reload)
    db.watch()
    lines.start()
    runner.start()
    log.info("working; stop with Ctrl-C or SIGTERM")
    try:
        while runner.problem() is None:
            runner.join(1.0)
        raise click.ClickException(runner.problem() or "the runner stopped")
    finally:
        runner.stop()
        lines.flush()
