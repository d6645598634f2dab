"""Fills the templates in `files/`, with marks that neither Python, HTML nor JavaScript uses."""

from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

FILES = Path(__file__).parent / "files"
LINE = 120


def rendered(template: str, values: Mapping[str, Any]) -> str:
    """Return the text of a template, such as `feature/api.py`."""
    return environment().get_template(f"{template}.jinja").render(values)


@cache
def environment() -> Environment:
    """Return Jinja as these templates use it: `<< value >>`, and lines such as `<% if table %>`."""
    made = Environment(
        loader=FileSystemLoader(FILES),
        variable_start_string="<<",
        variable_end_string=">>",
        block_start_string="<%",
        block_end_string="%>",
        comment_start_string="<#",
        comment_end_string="#>",
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        undefined=StrictUndefined,
        autoescape=select_autoescape(()),  # code, of names that were checked
    )
    made.globals["imported"] = imported
    made.globals["sentence"] = sentence
    return made


def imported(module: str, names: Iterable[str]) -> str:
    """Return an import in the formatter's form: constants, classes, functions; in lines if one is too long."""
    ordered = sorted({name for name in names if name}, key=_place)
    line = f"from {module} import {', '.join(ordered)}"
    return (
        line if len(line) <= LINE else "\n".join((f"from {module} import (", *(f"    {one}," for one in ordered), ")"))
    )


def _place(name: str) -> tuple[int, str]:
    return (0 if name.isupper() else 1 if name[:1].isupper() else 2), name.lower()


def sentence(parts: Iterable[str]) -> str:
    """Return parts as a list in a sentence: `a, b and c`."""
    *most, last = [part for part in parts if part]
    return f"{', '.join(most)} and {last}" if most else last
