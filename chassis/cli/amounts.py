"""Amounts of money as command-line values: 12.50."""

from decimal import Decimal, InvalidOperation
from typing import Any

import click

from chassis.base.money import MICRO, MOST, micro
from chassis.security.budget_rules import rules


class Money(click.ParamType[int]):
    """An amount such as 12.50, in micro-units."""

    name = "amount"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return the micro-units; fail with a message."""
        try:
            amount = Decimal(str(value))
        except InvalidOperation:
            amount = Decimal("NaN")
        if not (amount.is_finite() and 0 <= amount <= MOST // MICRO):
            self.fail(f"{value!r} is not an amount such as 12.50", param, ctx)
        return micro(amount)


def tell_without_prices() -> None:
    """Print a line if no budget can be reached, since nothing has a price."""
    if not rules().has_prices:
        click.echo("All prices are 0, so this limits nothing: set PRICE_PER_MTOK_INPUT and _OUTPUT.", err=True)
