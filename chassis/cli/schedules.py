"""`flask schedules`: list schedules with their last and next runs, and run them now."""

import json

import click

from chassis.base.times import iso
from chassis.cli.jobs import json_option
from chassis.commands import Group
from chassis.jobs import schedules

group = Group("schedules", help="Inspect the schedules, and run one now.")


@group.command("list")
@json_option
def list_command(as_json: bool) -> None:
    """List the schedules with their next run and their last result."""
    found = schedules.listing()
    if as_json:
        click.echo(json.dumps([one.as_dict() for one in found], indent=2))
        return
    for one in found:
        last = f"last {iso(one.last_at) or 'never'} {one.last_state or ''}".rstrip()
        following = iso(one.next_at) or "never"
        click.echo(f"{one.kind:<16}  {one.expression or '-':<14}  next {following}  {last}  skipped {one.skipped}")


@group.command()
@click.argument("kind")
def run(kind: str) -> None:
    """Queue a run now; the schedule does not change. Follow it with `flask jobs watch ID`."""
    job = schedules.run_now(kind)
    click.echo(job.id)
    click.echo(f"Queued; follow it with: flask jobs watch {job.id}", err=True)
