"""Amounts of money as integers, in micro-units (millionths) of a currency, so that sums are exact."""

from decimal import ROUND_CEILING, Decimal

MICRO = 1_000_000
MOST = 10**15  # micro-units: a thousand million units, far from the end of a 64-bit integer


def micro(amount: Decimal) -> int:
    """Return an amount in micro-units; a fraction of one counts as one."""
    return int((amount * MICRO).to_integral_value(ROUND_CEILING))


def plain(micro_units: int) -> str:
    """Return micro-units as a decimal number with at least two places, such as 12.50 or 0.000125."""
    sign, amount = "-" if micro_units < 0 else "", abs(micro_units)
    whole, rest = divmod(amount, MICRO)
    return f"{sign}{whole:,}.{f'{rest:06}'.rstrip('0').ljust(2, '0')}"
