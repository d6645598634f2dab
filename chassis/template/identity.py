"""Who a service is: what its `app/__init__.py` gives to `Service(...)`, read and replaced in the text itself."""

import ast
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from chassis.naming import slug_of
from chassis.template import Refused

FILE = "app/__init__.py"
LINE = 120
VERSION_LINE = re.compile(r'^version = ".*"$', re.MULTILINE)


@dataclass(frozen=True)
class Identity:
    """A service's name for people and its name for programs."""

    name: str
    slug: str


def read(root: Path) -> Identity:
    """Return the identity of the service in a folder."""
    given = arguments((root / FILE).read_text())
    name = ast.literal_eval(given.get("name", '""'))
    return Identity(name, ast.literal_eval(given.get("slug", '""')) or slug_of(name))


def arguments(text: str) -> dict[str, str]:
    """Return the keyword arguments of `Service(...)`, as they are written."""
    return {one.arg: ast.get_source_segment(text, one.value) or "" for one in _call(text).keywords if one.arg}


def parts(text: str) -> tuple[str, ...]:
    """Return the parts that the text of the file names."""
    return tuple(ast.literal_eval(arguments(text).get("parts", "()")))


def named(text: str, new: Identity) -> str:
    """Return the text of the file with another identity; the slug is written only if the name does not give it."""
    slug = None if slug_of(new.name) == new.slug else json.dumps(new.slug)
    return replaced(text, {"name": json.dumps(new.name, ensure_ascii=False), "slug": slug})


def replaced(text: str, values: Mapping[str, str | None]) -> str:
    """Return the text with other arguments of `Service(...)`; None removes one, and the rest stays as it is written."""
    call = _call(text)
    kept = {one.arg: ast.get_source_segment(text, one.value) or "" for one in call.keywords if one.arg}
    wanted = {**kept, **values}
    if wanted == kept:
        return text
    first = [key for key in ("name", "slug") if key in wanted]
    order = [*first, *(key for key in wanted if key not in first)]
    written = [f"{key}={wanted[key]}" for key in order if wanted[key] is not None]
    start, end = _span(text, call)
    in_one = f"{text[:start]}Service({', '.join(written)}){text[end:]}"
    if max(map(len, in_one.splitlines())) <= LINE:
        return in_one
    return f"{text[:start]}Service(\n{''.join(f'    {one},{chr(10)}' for one in written)}){text[end:]}"


def versioned(package: str, version: str) -> str:
    """Return the text of pyproject.toml with another version of the service."""
    return VERSION_LINE.sub(f'version = "{version}"', package, count=1)


def _call(text: str) -> ast.Call:
    found = next(_calls(text), None)
    if found is None:
        raise Refused(f'{FILE} has no line such as: service = Service(name="Acme Lab", version="0.1.0")')
    return found


def _calls(text: str) -> Iterator[ast.Call]:
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Service":
            yield node


def _span(text: str, call: ast.Call) -> tuple[int, int]:
    """Return where a call begins and ends in the text, in characters."""
    segment = ast.get_source_segment(text, call) or ""
    before = text.splitlines(keepends=True)[: call.lineno - 1]
    line = text.splitlines(keepends=True)[call.lineno - 1]
    start = len("".join(before)) + len(line.encode()[: call.col_offset].decode())
    return start, start + len(segment)
