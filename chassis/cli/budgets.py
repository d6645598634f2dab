"""`flask budgets`: list, set and clear the monthly budgets of keys and accounts."""

import json

import click
from flask.cli import with_appcontext

from chassis.base.money import plain
from chassis.cli.amounts import Money, tell_without_prices
from chassis.commands import Group
from chassis.security import budget_admin
from chassis.security.budget_admin import Standing
from chassis.security.payer import subject_of

group = Group("budgets", help="List, set and clear the monthly budgets of keys and accounts.")


@group.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON; amounts are integers in micro-units.")
@with_appcontext
def list_command(as_json: bool) -> None:
    """List every budget that was set or used this month."""
    found = [one.as_dict() for one in budget_admin.listing()]
    if as_json:
        click.echo(json.dumps(found, indent=2))
        return
    for one in found:
        limit = f"of {plain(one['limit'])}" if one["limit"] else "without a limit"
        left = f", {plain(one['left'])} left until {one['renews_at']}" if one["limit"] else ""
        click.echo(f"{one['subject']:<30}  {plain(one['spent'])} {limit} {one['currency']}{left}")
    if not found:
        click.echo("No budget is set, and nothing was spent this month.")


@group.command("set")
@click.argument("subject")
@click.argument("amount", type=Money())
@with_appcontext
def set_command(subject: str, amount: int) -> None:
    """Set the budget of a key (ak_...) or an account (its e-mail) for each month; 0 means no limit."""
    _tell(budget_admin.set_limit(subject_of(subject), amount))
    if amount:
        tell_without_prices()


@group.command()
@click.argument("subject")
@with_appcontext
def clear(subject: str) -> None:
    """Remove a budget: the default of the settings applies again."""
    _tell(budget_admin.set_limit(subject_of(subject), None))


def _tell(one: Standing) -> None:
    limit = f"{plain(one.limit)} {one.as_dict()['currency']} a month" if one.limit else "no limit"
    click.echo(f"{one.subject} has {limit}; {plain(one.spent)} spent in {one.month}.")
