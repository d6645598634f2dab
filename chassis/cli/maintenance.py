"""`flask maintenance` and `flask logs`: operators' switches for all running processes."""

import json

import click

from chassis.base.times import iso
from chassis.cli.durations import Duration
from chassis.cli.jobs import json_option
from chassis.commands import Group
from chassis.security import log_level, maintenance, switches
from chassis.wiring import current_settings

group = Group("maintenance", help="Refuse changes, and start no jobs.")
logs_group = Group("logs", help="Show and set the log level of the running processes.")
LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")
DEFAULT = "default"


@group.command()
@click.option("--reason", required=True, help="The reason shown to people.")
def on(reason: str) -> None:
    """Turn maintenance mode on, in all processes within a second."""
    if maintenance.turn_on(reason):
        click.echo("Maintenance is on.")
        return
    file = switches.file_of(current_settings())
    click.echo(f"Maintenance is on for this machine only, by the file {file}: the database cannot be written.")


@group.command()
def off() -> None:
    """Turn maintenance mode off."""
    maintenance.turn_off()
    click.echo("Maintenance is off.")


@group.command()
@json_option
def status(as_json: bool) -> None:
    """Report whether maintenance mode is on; the exit status is 1 if it is."""
    kept = switches.maintenance()
    reason = maintenance.reason()
    if as_json:
        click.echo(json.dumps({"on": reason is not None, "reason": reason, "since": iso((kept or {}).get("since"))}))
    else:
        click.echo("Maintenance is off." if reason is None else f"Maintenance is on: {reason}")
    raise SystemExit(0 if reason is None else 1)


@logs_group.command()
@click.argument("name", required=False, metavar="[LEVEL]", type=click.Choice((*LEVELS, DEFAULT), case_sensitive=False))
@click.option("--for", "seconds", type=Duration(), help="Return to LOG_LEVEL after, for example, 10m.")
def level(name: str | None, seconds: float | None) -> None:
    """Show the log level of all running processes, or set it to LEVEL; `default` returns to LOG_LEVEL."""
    if name is not None:
        log_level.change(None if name == DEFAULT else name, seconds)
    now, until = log_level.current(current_settings().log_level)
    click.echo(f"{now} until {iso(until)}" if until else now)
