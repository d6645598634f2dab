"""Procrastinate with PostgreSQL."""

import os

from jobs_peers import trivial
from procrastinate import App, PsycopgConnector

app = App(connector=PsycopgConnector(conninfo=os.environ["DATABASE_URL"]))
task = app.task(trivial)


def prepare() -> None:
    """Create the tables, and keep a connection open."""
    app.open()
    if not app.check_connection():
        app.schema_manager.apply_schema()


def send(at: float, told: str) -> None:
    """Queue a job."""
    task.defer(at=at, told=told)
