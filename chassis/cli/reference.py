"""Writes chassis/docs/reference.md: everything that the public rooms export, with signatures and docstrings.

    python -m chassis.cli.reference [--check]

With --check it changes nothing, and ends with status 1 when the document is stale.
"""

import inspect
import sys
from collections.abc import Iterator
from importlib import import_module
from types import ModuleType
from typing import Any

from chassis.base.environment import BASE_DIR
from chassis.cli import declarations
from chassis.errors import AppError

ROOMS = (
    "service", "hooks", "web", "realtime", "jobs", "db", "security", "limits", "upstream", "files", "search", "mail",
    "upkeep", "settings", "wiring", "errors", "observability", "commands", "base",
)  # fmt: skip
DOCUMENT = BASE_DIR / "chassis/docs/reference.md"
HEAD = """\
# Reference

Generated from the docstrings by `make docs`; do not edit.

This is the public surface of the chassis: what a service and its features may import. Import from the rooms that the
headings name (`from chassis.jobs import enqueue`, `from chassis.security import quotas`). Every other name is private
and may change with any version. [Features: reference](features-reference.md) shows how the
names are used."""


def document() -> str:
    """Return the text of the reference."""
    return "\n\n".join([HEAD, *(part for room in ROOMS for part in _module(f"chassis.{room}"))]) + "\n"


def _module(name: str) -> Iterator[str]:
    module = import_module(name)
    yield f"## {name}"
    yield inspect.getdoc(module) or ""
    namespaces = []
    for exported in module.__all__:
        value = getattr(module, exported)
        if inspect.ismodule(value):
            namespaces.append(value.__name__)
        else:
            yield from _entry(module, exported, value)
    for namespace in namespaces:
        yield from _module(namespace)


def _entry(module: ModuleType, name: str, value: Any) -> Iterator[str]:
    if inspect.isclass(value) and value.__module__.startswith("chassis."):
        yield from _class(name, value)
    elif inspect.isroutine(value):
        yield f"### {name}\n\n`{name}{declarations.signature(value)}`"
        yield inspect.getdoc(value) or ""
    else:
        shown = f" = {value!r}" if isinstance(value, str | int | float | tuple) else ""
        yield f"### {name}\n\n`{name}{shown}`"
        if note := declarations.note(module.__name__, name):
            yield note


def _class(name: str, kind: type[Any]) -> Iterator[str]:
    yield f"### {name}\n\n`class {name}{declarations.fields(kind)}`"
    if text := inspect.cleandoc(vars(kind).get("__doc__") or ""):
        yield text
    if issubclass(kind, AppError):
        yield f"The code is `{kind.code}`, the HTTP status {kind.status}."
    for method, function, call in declarations.methods(kind):
        yield f"#### {name}.{method}\n\n`{method}{call}`"
        yield inspect.getdoc(function) or ""


def main(check: bool) -> int:
    """Write the document, or only say whether it is stale; return an exit status."""
    text = document()
    stale = not DOCUMENT.exists() or DOCUMENT.read_text() != text
    if stale and not check:
        DOCUMENT.write_text(text)
    if stale and check:
        print("stale: chassis/docs/reference.md; run `make docs`")  # noqa: T201
    return int(stale and check)


if __name__ == "__main__":
    sys.exit(main(check="--check" in sys.argv))
