"""`flask doctor`: what is weak about this installation, each with what to do."""

import dataclasses
import json

import click
from flask.cli import with_appcontext

from chassis.cli.weaknesses import CHECKS
from chassis.wiring import current_settings


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@with_appcontext
def doctor(as_json: bool) -> None:
    """Look for weak configuration, where the service runs: as its user, with its environment.

    The exit status is 1 when something is to be done, and 78 when the settings do not even allow a start.
    """
    found = [weakness for check in CHECKS for weakness in check(current_settings())]
    if as_json:
        click.echo(json.dumps([dataclasses.asdict(weakness) for weakness in found], indent=2))
    else:
        click.echo("\n".join(f"{one.name}: {one.problem}\n  {one.fix}" for one in found) or "Nothing is to be done.")
    raise SystemExit(1 if found else 0)
