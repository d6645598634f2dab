"""`.template`: where a repository comes from and what was answered, for the next upgrade."""

import json
import re
import tomllib
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from chassis.template.git import attempt

FILE = ".template"
HEAD = "# The template that this repository was made from; `make upgrade` reads and writes it.\n"
CREDENTIALS = re.compile(r"^(https?://)[^/@]+@")


@dataclass(frozen=True)
class Record:
    """A version of the template, and the answers of `make new`."""

    origin: str
    tag: str
    commit: str
    name: str = ""
    slug: str = ""
    parts: tuple[str, ...] = ()
    examples: tuple[str, ...] = ()


def read(root: Path) -> Record | None:
    """Return what a repository's record says, or None without one."""
    if not (root / FILE).is_file():
        return None
    given = tomllib.loads((root / FILE).read_text())
    known = {field.name for field in fields(Record)}
    values: dict[str, Any] = {key: tuple(one) if isinstance(one, list) else one for key, one in given.items()}
    return Record(**{key: value for key, value in values.items() if key in known})


def write(root: Path, record: Record) -> None:
    """Write the record, without a password that an address may have."""
    kept = {**asdict(record), "origin": CREDENTIALS.sub(r"\1", record.origin)}
    lines = (f"{key} = {json.dumps(value, ensure_ascii=False)}\n" for key, value in kept.items())
    (root / FILE).write_text(HEAD + "".join(lines))


def origin_of(root: Path) -> str:
    """Return the address that a clone came from, or its own folder."""
    found = attempt(root, "remote", "get-url", "origin").stdout.strip()
    return absolute(found, root) if found else str(root.resolve())


def absolute(address: str, root: Path) -> str:
    """Return an address that means the same in every folder."""
    local = (root / address).resolve()
    return str(local) if "://" not in address and local.exists() else address


def tag_of(root: Path, commit: str) -> str:
    """Return the tag of a commit, that of the chassis before others; empty without one."""
    tags = attempt(root, "tag", "--points-at", commit).stdout.split()
    return next((tag for tag in tags if tag.startswith("chassis-v")), tags[0] if tags else "")
