"""`flask seed`: an admin and demo data for development."""

import click

from chassis.commands import Group
from chassis.errors import Conflict
from chassis.wiring import current_wiring


@click.group("seed", cls=Group, invoke_without_command=True)
def group() -> None:
    """Make an admin and demo data in a development database; what is there already stays as it is."""
    wiring = current_wiring()
    if wiring.settings.production:
        raise Conflict("`flask seed` is for development, and APP_ENV is production.")
    for name, make in wiring.seeds.items():
        click.echo(f"{name}: {make()}")
    if not wiring.seeds:
        click.echo("No part and no feature has demo data: hooks.seed registers it.")
