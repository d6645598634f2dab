"""`flask doctor`: weaknesses of this installation, each with its remedy."""

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
    """Check the configuration for weaknesses. Run it as the service's user and with its environment.

    The exit status is 1 if it finds any, and 78 if the settings are invalid.
    """
    found = [weakness for check in CHECKS for weakness in check(current_settings())]
    if as_json:
        click.echo(json.dumps([dataclasses.asdict(weakness) for weakness in found], indent=2))
    else:
        click.echo("\n".join(f"{one.name}: {one.problem}\n  {one.fix}" for one in found) or "No weaknesses found.")
    raise SystemExit(1 if found else 0)
