"""`.secrets.baseline`: what detect-secrets has found, by file, so that it is not found again."""

import json
from pathlib import Path

FILE = ".secrets.baseline"


def follow(root: Path, old: str, new: str) -> None:
    """Know the made-up secrets of a folder also in its copy, and forget files that do not exist."""
    path = root / FILE
    if not path.is_file():
        return
    known = json.loads(path.read_text())
    copies = {new + name.removeprefix(old): found for name, found in known["results"].items() if _in(name, old)}
    results = {**known["results"], **{name: _renamed(found, name) for name, found in copies.items()}}
    present = {name: found for name, found in results.items() if (root / name).exists()}
    if present != known["results"]:
        path.write_text(json.dumps({**known, "results": present}, indent=2) + "\n")


def forget(root: Path) -> None:
    """Forget files that do not exist."""
    follow(root, "", "")


def _in(name: str, folder: str) -> bool:
    return name.startswith(f"{folder}/")


def _renamed(found: list[dict[str, object]], name: str) -> list[dict[str, object]]:
    return [{**one, "filename": name} for one in found]
