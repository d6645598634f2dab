"""What a person has to know about the way from one version to another."""

import re
from collections.abc import Iterator
from pathlib import Path

from chassis.template.git import git
from chassis.template.source import numbers, version

SECTION = re.compile(r"^## (\d+\.\d+\.\d+).*?(?=^## |\Z)", re.MULTILINE | re.DOTALL)
SETTING = re.compile(r"^# ([A-Z][A-Z0-9_]+)=(.*)$", re.MULTILINE)


def upgrading(root: Path, base: str, new: str) -> list[str]:
    """Return the sections of UPGRADING.md for the versions after one, up to another."""
    low, high = numbers(version(root, base)), numbers(version(root, new))
    text = git(root, "show", f"{new}:chassis/UPGRADING.md")
    return [found[0].strip() for found in SECTION.finditer(text) if low < numbers(found[1]) <= high]


def settings(root: Path, base: str, new: str) -> Iterator[str]:
    """Yield a line for each setting that is new, gone or has another default."""
    before, after = (dict(SETTING.findall(git(root, "show", f"{commit}:.env.example"))) for commit in (base, new))
    for name in sorted(before.keys() | after.keys()):
        if name not in before:
            yield f"new: {name}={after[name]}"
        elif name not in after:
            yield f"gone: {name}"
        elif before[name] != after[name]:
            yield f"default: {name}={after[name]}, before {before[name] or 'empty'}"
