"""The template that an upgrade takes from: its versions, and the one that a repository was made from."""

import re
from pathlib import Path

from chassis.template import Refused
from chassis.template.git import attempt, git
from chassis.template.record import Record

REFS = "refs/template"  # apart from the tags and branches of the repository itself
VERSION = re.compile(r'^__version__ = "(.*?)"', re.MULTILINE)
VERSION_NUMBER = re.compile(r"\d+")
TAG = re.compile(r"(chassis-)?v(\d+)\.(\d+)\.(\d+)")
Numbers = tuple[int, int, int]


def fetch(root: Path, address: str) -> None:
    """Fetch the template's commits, beside the repository's own."""
    kinds = [f"+refs/{kind}/*:{REFS}/{kind}/*" for kind in ("tags", "heads")]
    git(root, "fetch", "--quiet", "--no-tags", "--prune", "--", address, *kinds)


def wanted(root: Path, name: str) -> tuple[str, str]:
    """Return the name and the commit of a version: a tag, a branch, a number; without a name the newest tag."""
    candidates = [name, f"v{name}", f"chassis-{name}", f"chassis-v{name}"] if name else newest(root)
    for candidate in candidates:
        for kind in ("tags", "heads"):
            commit = _commit(root, f"{REFS}/{kind}/{candidate}")
            if commit:
                return candidate, commit
    raise Refused(
        f"The template has no version {name!r}" if name else "The template has no version yet: give TO=branch"
    )


def newest(root: Path) -> list[str]:
    """Return the tag of the newest version, those of the chassis before others; empty without one."""
    tags = git(root, "for-each-ref", "--format=%(refname:lstrip=3)", f"{REFS}/tags").split()
    found = [
        (bool(one[1]), numbers(one[0].removeprefix("chassis-v")), one[0]) for one in map(TAG.fullmatch, tags) if one
    ]
    return [max(found)[-1]] if found else []


def numbers(version: str) -> Numbers:
    """Return a version's parts as numbers, which compare in the order of versions."""
    major, minor, patch = VERSION_NUMBER.findall(version)[:3]
    return int(major), int(minor), int(patch)


def version(root: Path, commit: str) -> str:
    """Return the chassis' version in a commit."""
    found = VERSION.search(git(root, "show", f"{commit}:chassis/__init__.py"))
    return found[1] if found else "0.0.0"


def base(root: Path, known: Record | None, new: str) -> str:
    """Return the template's commit that the repository was made from, or upgraded to."""
    recorded = _commit(root, known.commit) if known else ""
    common = attempt(root, "merge-base", "HEAD", new).stdout.strip()
    found = recorded or common or _same(root)
    if not found:
        raise Refused("No version of the template has this chassis/: take one over by hand (chassis/UPGRADING.md)")
    return found


def _commit(root: Path, name: str) -> str:
    return attempt(root, "rev-parse", "--verify", "--quiet", f"{name}^{{commit}}").stdout.strip()


def _same(root: Path) -> str:
    """Return the commit with our manifest whose other files are nearest to our first commit; empty without one."""
    first = git(root, "rev-list", "--max-parents=0", "HEAD").split()[-1]
    ours = git(root, "rev-parse", "HEAD:chassis/manifest.txt")
    refs = git(root, "for-each-ref", "--format=%(refname)", REFS).split()
    commits = git(root, "rev-list", *refs).split() if refs else []
    blobs = ((one, attempt(root, "rev-parse", f"{one}:chassis/manifest.txt").stdout.strip()) for one in commits)
    alike = [one for one, blob in blobs if blob == ours]
    return min(alike, key=lambda one: len(git(root, "diff", "--name-only", one, first).split("\n")), default="")
