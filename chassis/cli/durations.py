"""Durations as command-line values: 90d, 12h, 30m, 45s."""

import re
from typing import Any

import click

UNITS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}
WRITTEN = re.compile(r"(\d{1,6})([smhd])")


class Duration(click.ParamType[float]):
    """A duration such as 90d, 12h, 30m or 45s, in seconds."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return the seconds; fail with a message."""
        found = WRITTEN.fullmatch(str(value))
        if not found:
            self.fail(f"{value!r} is not a duration such as 90d, 12h, 30m or 45s", param, ctx)
        return float(int(found[1]) * UNITS[found[2]])
