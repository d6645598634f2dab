"""`flask events types`: the events as types for TypeScript."""

from pathlib import Path

import click

from chassis.base.service import current as service
from chassis.commands import Group
from chassis.web.asyncapi import document, types

STALE = 1


@click.group("events", cls=Group)
def group() -> None:
    """Describe the events of the Socket.IO interface."""


@group.command("types")
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="Write to this file.")
@click.option("--check", is_flag=True, help="Only say whether the file is up to date.")
@click.pass_context
def write_types(context: click.Context, output: Path | None, check: bool) -> None:
    """Print the types for socket.io-client in TypeScript."""
    text = types(document(service().name, "localhost", secure=False))
    if output is None:
        click.echo(text, nl=False)
    elif not check:
        output.write_text(text)
    elif not output.exists() or output.read_text() != text:
        click.echo(f"{output} is not up to date: run `flask events types --output {output}`.", err=True)
        context.exit(STALE)
