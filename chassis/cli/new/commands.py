"""The commands `flask new feature|migration|event|job`; they import what they need, which a server never does."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click
from flask import current_app

from chassis.base.environment import BASE_DIR
from chassis.commands import Group

if TYPE_CHECKING:
    from chassis.cli.new.feature import Plan

group = Group("new", help="Write a feature, or a migration, an event or a job of one.")
TYPES_HELP = "Columns of a table, as NAME:TYPE; types: text, int, float, bool, date, time, json."


def _say(*lines: str) -> None:
    click.echo("\n".join(lines))


@group.command("feature")
@click.argument("name")
@click.option("--table", metavar='"title:text count:int"', help=TYPES_HELP)
@click.option("--upload", is_flag=True, help="A route that takes a file; with --table a CSV whose lines become rows.")
@click.option("--job", is_flag=True, help="A kind of job, and a route that queues one.")
@click.option("--live", is_flag=True, help="A room whose members are told each change.")
@click.option("--page", is_flag=True, help="A page with its scripts, and a test with a browser.")
def feature_command(name: str, table: str | None, upload: bool, job: bool, live: bool, page: bool) -> None:
    """Write the feature NAME to app/features, with its tests.

    NAME is a plural in lower case, such as albums. The feature always has an API; the options add to it.
    """
    from chassis.cli.new import feature
    from chassis.cli.new.columns import parsed

    plan = feature.Plan(name, parsed(table) if table is not None else (), upload, job, live, page)
    written = feature.write(current_app, plan)
    _say(*(f"wrote    {path.relative_to(BASE_DIR)}" for path in written), "", "Next:", *_next(plan))


def _next(plan: "Plan") -> Iterator[str]:
    steps = {
        f'make test-app ARGS="-k {plan.name}"': "runs its tests",
        "make run": f"serves {'/' if plan.page else '/api/'}{plan.path}; /api/docs describes its routes",
    }
    if plan.columns:
        steps[f'flask new migration {plan.name} "what"'] = "after a change of its tables.py"
    wide = max(map(len, steps))
    yield from (f"  {command:{wide}}  # {text}" for command, text in steps.items())


@group.command("migration")
@click.argument("name", metavar="FEATURE")
@click.argument("what")
def migration_command(name: str, what: str) -> None:
    """Write the difference between the tables of FEATURE and what its migrations make; WHAT says it in a sentence.

    The migrations are applied to an empty database for that, so it does not matter how yours is.
    """
    from chassis.cli.new import migration

    path = migration.write(name, what)
    if path is None:
        _say(f"Nothing to write: the migrations of {name} make the tables of its tables.py.")
    else:
        _say(f"wrote    {path.relative_to(BASE_DIR)}", "", "Next: read it, then flask db upgrade")


@group.command("event")
@click.argument("feature_name", metavar="FEATURE")
@click.argument("name")
def event_command(feature_name: str, name: str) -> None:
    """Write a handler of the event FEATURE:NAME, with its test."""
    from chassis.cli.new import additions

    written = additions.write("event", feature_name, name)
    _say(*(f"wrote    {path.relative_to(BASE_DIR)}" for path in written))
    _say("", "Nothing else to do: handlers in events.py and events_*.py are found by their place.")


@group.command("job")
@click.argument("feature_name", metavar="FEATURE")
@click.argument("name")
def job_command(feature_name: str, name: str) -> None:
    """Write the kind of job FEATURE_NAME, with its test."""
    from chassis.cli.new import additions

    written = additions.write("job", feature_name, name)
    _say(*(f"wrote    {path.relative_to(BASE_DIR)}" for path in written), "")
    _say("Nothing else to do: kinds in jobs.py and jobs_*.py are found by their place.")
    _say(f'Queue one with jobs.enqueue("{feature_name}_{name}", {{"steps": 3}}).')
