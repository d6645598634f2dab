"""`flask usage`: the tokens and the cost of calls of models."""

import json

import click
from flask.cli import with_appcontext

from chassis.base.money import plain
from chassis.commands import Group
from chassis.security import spending
from chassis.security.budget_rules import rules
from chassis.security.spending import COLUMNS, Column


@click.group(cls=Group, invoke_without_command=True)
@click.option("--days", default=30, type=click.IntRange(1, 10_000), show_default=True, help="Today included.")
@click.option("--by", "columns", multiple=True, type=click.Choice(COLUMNS), help="May be repeated; all by default.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON; the cost is an integer in micro-units.")
@with_appcontext
def usage(days: int, columns: tuple[Column, ...], as_json: bool) -> None:
    """Print the tokens and the cost of calls of models in the last days, by day, key, account and model."""
    by = columns or COLUMNS
    found = spending.summed(by, days=days)
    if as_json:
        click.echo(json.dumps(found, indent=2))
        return
    for row in found:
        who = "  ".join(f"{row[name] or '-':<20}" for name in by)
        tokens = ", ".join(f"{row[f'{kind}_tokens']:,} {kind}" for kind in ("input", "output", "index"))
        click.echo(f"{who}  {row['calls']:,} calls, {tokens} tokens, {plain(row['cost'])} {rules().currency}")
    if not found:
        click.echo(f"No calls in the last {days} days.")
