"""What features need beyond the template: the lines of their files of requirements in the lists of pyproject.toml."""

import re
from collections.abc import Iterator
from pathlib import Path

from chassis.template import Refused
from chassis.template.examples import FEATURES

LIST = "pyproject.toml"
FILES = {"requirements.in": "dependencies", "requirements-dev.in": "dev"}  # and the list; the second is of the tests
LISTS = re.compile(r"^(dependencies|dev) = \[\n(.*?)^\]$", re.MULTILINE | re.DOTALL)
NAME = re.compile(r"[A-Za-z0-9._-]+")
SEPARATORS = re.compile(r"[-_.]+")
LISTED = re.compile(r'^ *"([^"]+)"', re.MULTILINE)


def write(root: Path) -> bool:
    """List what the present features need, and nothing of those that are gone; return whether that changed anything.

    Each line names its feature in the comment, and two features that need the same library share the line of the first
    one. Raises Refused if two places need different versions.
    """
    before = after = (root / LIST).read_text()
    known: dict[str, str] = {}
    for file, name in FILES.items():
        after = _listed(root, after, file, name, known)
    if after != before:
        (root / LIST).write_text(after)
    return after != before


def of(path: Path) -> Iterator[tuple[str, str]]:
    """Yield (requirement, comment) of each line of a feature's file; a comment above a line is the line's, too."""
    above: list[str] = []
    for line in path.read_text().splitlines() if path.is_file() else ():
        needed, _, comment = (part.strip() for part in line.partition("#"))
        above += [comment] if comment else []
        if needed:
            yield needed.replace('"', "'"), " ".join(above)
        if needed or not comment:
            above = []


def _listed(root: Path, text: str, file: str, name: str, known: dict[str, str]) -> str:
    """Return the text of pyproject.toml with one of its lists as the features' files want it."""
    block = next((found for found in LISTS.finditer(text) if found[1] == name), None)
    if block is None:
        raise Refused(f"{LIST} has no list {name}.")
    kept = [line for line in block[2].splitlines() if f"({FEATURES}/" not in line]
    known |= {_library(one): one for line in kept for one in LISTED.findall(line)}
    lines = [*kept, *_lines(root, file, known)]
    return text[: block.start(2)] + "".join(f"{line}\n" for line in lines) + text[block.end(2) :]


def _lines(root: Path, file: str, known: dict[str, str]) -> Iterator[str]:
    for folder in sorted(path for path in (root / FEATURES).iterdir() if path.is_dir()):
        for needed, comment in of(folder / file):
            there = known.get(_library(needed))
            if there not in (None, needed):
                raise Refused(f"{LIST} needs {there}, and {FEATURES}/{folder.name} needs {needed}.")
            if there is None:
                known[_library(needed)] = needed
                yield f'    "{needed}", # {f"{comment} " if comment else ""}({FEATURES}/{folder.name})'


def _library(requirement: str) -> str:
    """Return the name of a requirement's library, normalized as an index does."""
    found = NAME.match(requirement)
    return SEPARATORS.sub("-", found[0]).lower() if found else requirement
