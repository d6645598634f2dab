"""What `flask shell` has at hand, and how it says so."""

from typing import Any

import click
import sqlalchemy
from flask import Flask

from chassis import jobs
from chassis.db import db
from chassis.db.tables import metadata
from chassis.wiring import settings_of


def at_hand(app: Flask) -> dict[str, Any]:
    """Return the names: the database, the jobs, the settings, and every table by its name."""
    tables = {table.name: table for table in metadata.sorted_tables}
    names = {"db": db, "jobs": jobs, "settings": settings_of(app), "select": sqlalchemy.select, "tables": tables}
    return {name: table for name, table in tables.items() if name.isidentifier()} | names


def install(app: Flask) -> None:
    """Put the names into `flask shell`."""

    @app.shell_context_processor
    def names() -> dict[str, Any]:
        found = at_hand(app)
        click.echo(f"At hand: app, {', '.join(sorted(found))}")
        click.echo("  db.read(lambda conn: conn.execute(select(tables['jobs'])).all())")
        return found
