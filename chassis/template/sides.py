"""The template's two versions as this repository would have them: with its name, its version and its parts.

So a three-way merge by git finds no difference in names, and nothing that was deleted here.
"""

import re
import shutil
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from chassis.template import identity, rename
from chassis.template.git import NOBODY, attempt, export, git, names, stored, without
from chassis.template.places import LOCK

OURS = ("CHANGELOG.md", "LICENSE")
UNLESS_CHANGED = ("README.md", "SECURITY.md")  # texts, of which a merge line by line makes no sense
GENERATED = ("docs/configuration.md", ".env.example")
VERSION_LINE = re.compile(r'^version = "(.*)"$', re.MULTILINE)
FEATURE = re.compile(r"app/features/[^/]+/|examples/(?:[^/]+/)?")  # new ones are not added
EXAMPLE = re.compile(r"^(examples/[^/]+/).+")  # is listed as a whole


@dataclass(frozen=True)
class Sides:
    """Both versions as commits, the second on the first; their whole trees; and what is left out though it changed."""

    new: str
    changed: bool
    trees: tuple[str, str]
    left_out: tuple[str, ...]


def sides(root: Path, base: str, new: str, title: str) -> Sides:
    """Make both sides of the merge."""
    old_tree, new_tree = (_tree(root, commit) for commit in (base, new))
    old, ours, their = (set(_files(root, tree)) for tree in (old_tree, "HEAD", new_tree))
    deleted = {name for name in old | their if name not in ours and _gone(name, old, ours)}
    kept_as_they_are = {name for name in old | their if name in (*OURS, *GENERATED) or LOCK.fullmatch(name)}
    kept_as_they_are |= {name for name in UNLESS_CHANGED if name in ours and _differ(root, name, "HEAD", old_tree)}
    cut = [without(root, tree, deleted | kept_as_they_are) for tree in (old_tree, new_tree)]
    first = git(root, "commit-tree", cut[0], "-m", "The template before", env=NOBODY)
    second = git(root, "commit-tree", cut[1], "-p", first, "-m", title, env=NOBODY)
    changed = (name for name in deleted & their if name not in old or _differ(root, name, old_tree, new_tree))
    left_out = sorted({EXAMPLE.sub(r"\1", name) for name in changed})
    return Sides(second, cut[0] != cut[1], (old_tree, new_tree), tuple(left_out))


def _tree(root: Path, commit: str) -> str:
    """Return a commit's tree with this repository's identity in it."""
    text = (root / identity.FILE).read_text()
    ours = {key: value for key, value in identity.arguments(text).items() if key in ("version", "parts")}
    package = VERSION_LINE.search((root / "pyproject.toml").read_text())
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "side"
        export(root, commit, folder)
        rename.apply(folder, identity.read(folder), identity.read(root))
        service, toml = folder / identity.FILE, folder / "pyproject.toml"
        service.write_text(identity.replaced(service.read_text(), ours))
        if package:
            toml.write_text(identity.versioned(toml.read_text(), package[1]))
        shutil.rmtree(folder / "chassis")
        return stored(root, folder, {"chassis": f"{commit}:chassis"})


def _gone(name: str, old: set[str], ours: set[str]) -> bool:
    """Tell whether a file that is not here was deleted here, by itself or with its folder."""
    feature = FEATURE.match(name)
    if name in old or (feature and not _any_below(feature[0], ours)):
        return True
    folders = [f"{parent}/" for parent in Path(name).parents][:-1]
    known = next((folder for folder in folders if _any_below(folder, old)), None)
    return known is not None and not _any_below(known, ours)


def _any_below(folder: str, files: Iterable[str]) -> bool:
    return any(name.startswith(folder) for name in files)


def _files(root: Path, tree: str) -> list[str]:
    return names(root, "ls-tree", "-r", "-z", "--name-only", "--full-tree", tree)


def _differ(root: Path, name: str, one: str, other: str) -> bool:
    return blob(root, one, name) != blob(root, other, name)


def blob(root: Path, tree: str, name: str) -> str:
    """Return the object of a file in a tree or commit; empty without one."""
    return attempt(root, "rev-parse", "--verify", "--quiet", f"{tree}:{name}").stdout.strip()
