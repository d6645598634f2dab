"""Prompt templates: `{column}` stands for a row's value, `{{` and `}}` for braces."""

import re
from collections.abc import Iterator, Sequence

from app.features.predictions.rows import shown
from chassis.errors import AppError, BadRequest

TOKEN = re.compile(r"\{\{|\}\}|\{([^{}]*)\}")
MAX_NAMED = 20  # columns in an error


class PromptTooLong(AppError):
    """A filled prompt is longer than the maximum."""

    code, status = "prompt_too_long", 400


def check(template: str, columns: Sequence[str]) -> None:
    """Raise BadRequest when the template names a column that the rows do not have."""
    known = set(columns)
    unknown = next((name for name in _names(template) if name not in known), None)
    if unknown is not None:
        named = ", ".join(map(shown, columns[:MAX_NAMED])) + (", …" if len(columns) > MAX_NAMED else "")
        raise BadRequest(f"The prompt names {{{shown(unknown)}}}, but the columns are: {named}.", code="unknown_column")


def fill(template: str, row: dict[str, str], most: int) -> str:
    """Return the prompt for a row; raise PromptTooLong, before it is built, when it is over `most` characters."""
    parts, length, end = [], 0, 0
    for match in TOKEN.finditer(template):
        value = row[match[1].strip()] if match[1] is not None else match[0][0]
        parts += [template[end : match.start()], value]
        length, end = length + match.start() - end + len(value), match.end()
    parts.append(template[end:])
    length += len(parts[-1])
    if length > most:
        raise PromptTooLong(f"The filled-in prompt has {length:,} characters; the limit is {most:,}.")
    return "".join(parts)


def _names(template: str) -> Iterator[str]:
    return (match[1].strip() for match in TOKEN.finditer(template) if match[1] is not None)
