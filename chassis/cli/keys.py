"""`flask keys`: create, list, expire and revoke API keys."""

import json

import click
from flask.cli import with_appcontext

from chassis.base.times import iso
from chassis.cli.amounts import Money, tell_without_prices
from chassis.cli.durations import Duration
from chassis.commands import Group
from chassis.db import clock, db
from chassis.security import keys, stale_keys
from chassis.security.identity import SCOPES

group = Group("keys", help="Create, list, expire and revoke API keys.")


@group.command()
@click.argument("name")
@click.option("--scope", "scopes", multiple=True, type=click.Choice(SCOPES), help="May be repeated; submit by default.")
@click.option(
    "--owner", default="", help="Owner of the key; with an account's e-mail, the key shares that account's work."
)
@click.option("--expires", type=Duration(), help="Expires after, for example, 90d; never by default.")
@click.option("--rate", default=0.0, type=click.FloatRange(0), help="Requests per second; 0 means the default limit.")
@click.option("--budget", default="0", type=Money(), help="Monthly budget, such as 12.50; 0 means the default.")
@click.option("--without-limits", is_flag=True, help="For a load test; needs --expires, at most 24h.")
def create(
    name: str,
    scopes: tuple[str, ...],
    owner: str,
    expires: float | None,
    rate: float,
    budget: int,
    without_limits: bool,
) -> None:
    """Create a key and print it once; only a hash is stored."""
    db.read(clock.compare)
    ends = None if expires is None else clock.now() + expires
    new = keys.NewKey(name, scopes or ("submit",), owner, rate, budget, ends, without_limits)
    key = keys.create(new)
    click.echo(key)
    if budget:
        tell_without_prices()
    click.echo("Save it now: it is not shown again.", err=True)


@group.command("list")
@click.option("--stale", is_flag=True, help="Only keys that are long unused or whose creators have left.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@with_appcontext
def list_command(stale: bool, as_json: bool) -> None:
    """List all keys, newest first, without their secrets."""
    reasons = stale_keys.reasons()
    found = [key | {"stale": reasons.get(key["id"])} for key in keys.listing() if key["id"] in reasons or not stale]
    if as_json:
        click.echo(json.dumps(found, indent=2))
        return
    for key in found:
        used = f"{key['use_count']} uses, last {key['last_used_at'] or 'never'}"
        scopes = ",".join(key["scopes"])
        used += ", without limits" if key["without_limits"] else ""
        used += f", {key['stale']}" if key["stale"] else ""
        click.echo(f"{keys.PREFIX}_{key['id']}  {key['state']:<7}  {scopes:<12}  {key['name']}  {key['owner']}  {used}")
    if not found:
        click.echo("No stale keys." if stale else "No keys except those in the environment.")


@group.command()
@click.argument("key_id")
def revoke(key_id: str) -> None:
    """Revoke a key, given its first part; its sockets are closed within a second."""
    keys.revoke(key_id)
    click.echo(f"{key_id} is revoked.")


@group.command()
@click.argument("key_id")
@click.option(
    "--in", "seconds", type=Duration(), required=True, help="How long the key keeps working, for example 7d or 0s."
)
def expire(key_id: str, seconds: float) -> None:
    """Make a key expire after a time, for a rotation."""
    db.read(clock.compare)
    at = clock.now() + seconds
    keys.expire(key_id, at)
    click.echo(f"{key_id} expires at {iso(at)}.")
