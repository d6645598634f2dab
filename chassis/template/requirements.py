"""What features need beyond the template: the lines of their `requirements.in` among pyproject.toml's dependencies."""

import re
from collections.abc import Iterator
from pathlib import Path

from chassis.template import Refused
from chassis.template.examples import FEATURES

FILE, LIST = "requirements.in", "pyproject.toml"
DEPENDENCIES = re.compile(r"^dependencies = \[\n(.*?)^\]$", re.MULTILINE | re.DOTALL)
NAME = re.compile(r"[A-Za-z0-9._-]+")
LISTED = re.compile(r'^ *"([^"]+)"', re.MULTILINE)


def write(root: Path) -> bool:
    """List what the present features need, and nothing of those that are gone; return whether that changed anything.

    Each line names its feature in the comment, and two features that need the same library share the line of the first
    one. Raises Refused if two places need different versions.
    """
    before = (root / LIST).read_text()
    block = DEPENDENCIES.search(before)
    if block is None:
        raise Refused(f"{LIST} has no list of dependencies.")
    kept = [line for line in block[1].splitlines() if f"({FEATURES}/" not in line]
    lines = [*kept, *_lines(root, kept)]
    after = before[: block.start(1)] + "".join(f"{line}\n" for line in lines) + before[block.end(1) :]
    if after != before:
        (root / LIST).write_text(after)
    return after != before


def of(folder: Path) -> Iterator[tuple[str, str]]:
    """Yield (requirement, comment) of each line of a feature's file; a comment above a line is the line's, too."""
    above: list[str] = []
    text = (folder / FILE).read_text() if (folder / FILE).is_file() else ""
    for line in text.splitlines():
        needed, _, comment = (part.strip() for part in line.partition("#"))
        above += [comment] if comment else []
        if needed:
            yield needed.replace('"', "'"), " ".join(above)
        if needed or not comment:
            above = []


def _lines(root: Path, kept: list[str]) -> Iterator[str]:
    known = dict(_named(one) for line in kept for one in LISTED.findall(line))
    for folder in sorted(path for path in (root / FEATURES).iterdir() if path.is_dir()):
        for needed, comment in of(folder):
            name, _ = _named(needed)
            if name in known and known[name] != needed:
                raise Refused(f"{LIST} needs {known[name]}, and {FEATURES}/{folder.name} needs {needed}.")
            if name not in known:
                known[name] = needed
                yield f'    "{needed}", # {f"{comment} " if comment else ""}({FEATURES}/{folder.name})'


def _named(requirement: str) -> tuple[str, str]:
    """Return a requirement with the name of its library before it, normalized as an index does."""
    found = NAME.match(requirement)
    return re.sub(r"[-_.]+", "-", found[0]).lower() if found else requirement, requirement
