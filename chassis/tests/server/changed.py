"""Copies of installed libraries in which names are changed, as a later version may have them."""

import importlib.util
import shutil
from pathlib import Path

from chassis.tests.servers import LEAN


def change(folder: Path, package: str, names: dict[str, str]) -> dict[str, str]:
    """Put a changed copy of a package into a folder; return the environment of a process that imports it."""
    source = Path(importlib.util.find_spec(package).origin).parent
    if not (folder / package).exists():
        shutil.copytree(source, folder / package, ignore=shutil.ignore_patterns("__pycache__"))
    found = set()
    for path in (folder / package).rglob("*.py"):
        text = changed = path.read_text()
        for old, new in names.items():
            found |= {old} if old in text else set()
            changed = changed.replace(old, new)
        if changed != text:
            path.write_text(changed)
    assert found == names.keys(), f"{package} has no {names.keys() - found} to change"
    return {"PYTHONPATH": f"{folder}:{LEAN['PYTHONPATH']}"}
