"""Puts the template's changes into a repository: git merges, and generated files are generated again."""

import subprocess
import tomllib
from pathlib import Path
from typing import Any

from chassis.template import Refused
from chassis.template.git import attempt, git, names
from chassis.template.places import LOCK
from chassis.template.sides import GENERATED, Sides, blob


def merge(place: Path, both: Sides) -> list[str]:
    """Merge the difference of both sides into the files; return those with conflicts."""
    done = attempt(place, "cherry-pick", "--no-commit", "-X", "no-renames", both.new) if both.changed else None
    conflicts = sorted(set(names(place, "diff", "-z", "--name-only", "--diff-filter=U")))
    if done and done.returncode and not conflicts:  # an ignored file is in the way, say
        raise Refused(f"git cherry-pick: {done.stderr.strip()}")
    return conflicts


def locks(root: Path, both: Sides, clean: bool) -> list[str]:
    """Take the template's locks, or generate them where the requirements are our own; return what is left to run."""
    old, new = both.trees
    ours = [name for name in names(root, "ls-files", "-z") if LOCK.fullmatch(name)]
    moved = [name for name in ours if blob(root, new, name) and blob(root, old, name) != blob(root, new, name)]
    own = [name for name in moved if blob(root, "HEAD", name) != blob(root, old, name)]
    for name in moved if not own else []:
        git(root, "checkout", "-q", new, "--", name)
    return [] if not own or (clean and _made(root, "lock", ours)) else ["make lock"]


def documents(root: Path, clean: bool) -> list[str]:
    """Rewrite the documents of settings; return what is left to run."""
    shown = [name for name in GENERATED if (root / name).exists()]
    return [] if clean and _made(root, "docs", shown) else ["make docs"]


def _made(root: Path, target: str, files: list[str]) -> bool:
    """Run a target of make, where its tools are installed; tell whether it did."""
    if not (root / ".venv").exists() or not _readable(root):
        return False
    done = subprocess.run(["make", "-s", target], cwd=root, capture_output=True, text=True, check=False)
    git(root, "add", "--", *files)
    return done.returncode == 0


def _readable(root: Path) -> dict[str, Any]:
    try:
        return tomllib.loads((root / "pyproject.toml").read_text())
    except tomllib.TOMLDecodeError:
        return {}
