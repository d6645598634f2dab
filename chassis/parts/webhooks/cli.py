"""`flask webhooks`: register, list, test, enable and remove webhooks."""

import json

import click

from chassis.commands import Group
from chassis.parts.webhooks import service

group = Group("webhooks", help="Manage webhooks, which tell other services when jobs end.")


@group.command()
@click.argument("url")
@click.option(
    "--owner",
    default="",
    help="Whose jobs to report: an account's e-mail or a key's owner; by default those of commands.",
)
def add(url: str, owner: str) -> None:
    """Register an address and print its secret, once."""
    made = service.create(url, owner)
    click.echo(made["secret"])
    click.echo(f"{made['id']} is registered. Save the secret now: it is not shown again.", err=True)


@group.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_command(as_json: bool) -> None:
    """List all webhooks, without their secrets."""
    found = service.listing()
    if as_json:
        click.echo(json.dumps(found, indent=2))
        return
    for one in found:
        told = one["disabled_reason"] or one["last_outcome"] or "never called"
        click.echo(f"{one['id']}  {one['state']:<8}  {one['owner'] or '-'}  {one['url']}  {told}")
    if not found:
        click.echo("No webhooks yet.")


@group.command("test")
@click.argument("webhook_id")
def try_out(webhook_id: str) -> None:
    """Queue a test call; follow it with `flask jobs watch ID`."""
    click.echo(service.try_out(webhook_id).id)


@group.command()
@click.argument("webhook_id")
def enable(webhook_id: str) -> None:
    """Enable a disabled webhook."""
    service.enable(webhook_id)
    click.echo(f"{webhook_id} is enabled.")


@group.command()
@click.argument("webhook_id")
def remove(webhook_id: str) -> None:
    """Remove a webhook; queued calls are not made."""
    service.remove(webhook_id)
    click.echo(f"{webhook_id} is removed.")
