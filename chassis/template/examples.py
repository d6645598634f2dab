"""The services to start from in `examples/`: which there are, what each is, and how its copy differs from it."""

import re
import shutil
from pathlib import Path

from chassis.template import Refused

FOLDER, FEATURES = "examples", "app/features"
MADE = {"__pycache__"}  # by running the copy
SENTENCE = re.compile(r"^.*?[.!?](?= |$)")


def names(folder: Path) -> list[str]:
    """Return the names of the packages in a folder."""
    return sorted(path.parent.name for path in folder.glob("*/__init__.py"))


def found(root: Path) -> list[str]:
    """Return the names of the examples."""
    return names(root / FOLDER)


def checked(root: Path, name: str) -> str:
    """Return the name of an example; raise Refused, with the list, if there is none of this name."""
    if name not in found(root):
        raise Refused(f"There is no example {name!r}: {', '.join(found(root)) or 'none'}.")
    return name


def about(root: Path, name: str) -> str:
    """Return the first sentence of an example's README."""
    readme = root / FOLDER / name / "README.md"
    parts = readme.read_text().split("\n\n") if readme.is_file() else []
    texts = (" ".join(part.split()) for part in parts)
    first = next((text for text in texts if text and text[0] not in "#!|[<`"), "")
    sentence = SENTENCE.match(first)
    return sentence[0] if sentence else first


def copied(root: Path, name: str) -> bool:
    """Return whether a feature of this name has a file."""
    return bool(_files(root / FEATURES / name))


def copy(root: Path, name: str) -> None:
    """Copy an example to the features."""
    source, target = root / FOLDER / name, root / FEATURES / name
    shutil.copytree(source, target, ignore=shutil.ignore_patterns(*MADE), dirs_exist_ok=True)


def edits(root: Path, name: str) -> list[str]:
    """Return the files of a copy that are not as in the example, each marked as changed, added or removed."""
    ours, theirs = _files(root / FEATURES / name), _files(root / FOLDER / name)
    changed = [f"{one} (changed)" for one in ours.keys() & theirs.keys() if ours[one] != theirs[one]]
    added = [f"{one} (added)" for one in ours.keys() - theirs.keys()]
    return sorted([*changed, *added, *(f"{one} (removed)" for one in theirs.keys() - ours.keys())])


def _files(folder: Path) -> dict[str, bytes]:
    paths = (path for path in folder.rglob("*") if path.is_file() and not MADE & set(path.parts))
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}
