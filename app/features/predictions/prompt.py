"""Prompt templates: `{column}` stands for a row's value, `{{` and `}}` for braces."""

import re
from collections.abc import Sequence

from app.errors import BadRequest

TOKEN = re.compile(r"\{\{|\}\}|\{([^{}]*)\}")


def check(template: str, columns: Sequence[str]) -> None:
    """Raise BadRequest when the template names a column that the rows do not have."""
    unknown = [name for name in _names(template) if name not in columns]
    if unknown:
        raise BadRequest(
            f"The prompt names {{{unknown[0]}}}, but the columns are: {', '.join(columns)}.", code="unknown_column"
        )


def fill(template: str, row: dict[str, str]) -> str:
    """Return the prompt for one row."""

    def replace(match: re.Match[str]) -> str:
        return row[match[1].strip()] if match[1] is not None else match[0][0]

    return TOKEN.sub(replace, template)


def _names(template: str) -> list[str]:
    return [match[1].strip() for match in TOKEN.finditer(template) if match[1] is not None]
