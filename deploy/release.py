#!/usr/bin/env python3
"""Make a release: `make release VERSION=1.2.3` writes version and changelog, commits and tags; it pushes nothing.

    python deploy/release.py VERSION [chassis]

With `chassis` it releases the chassis instead of the service: its own version, changelog and tag prefix.
"""

import re
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SEMANTIC = re.compile(r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)")
UNRELEASED = re.compile(r"^## \[Unreleased\]\n(.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)
MANIFEST = "chassis/manifest.txt"


@dataclass(frozen=True)
class Kind:
    """What is released: the prefix of its tags, its changelog, and where its version is written."""

    prefix: str
    changelog: str
    places: dict[str, re.Pattern[str]]


SERVICE = Kind(
    "v",
    "CHANGELOG.md",
    {
        "app/__init__.py": re.compile(r'\bversion="(.*?)"'),
        "pyproject.toml": re.compile(r'^version = "(.*)"$', re.MULTILINE),
    },
)
CHASSIS = Kind(
    "chassis-v",
    "chassis/CHANGELOG.md",
    {"chassis/__init__.py": re.compile(r'^__version__ = "(.*)"$', re.MULTILINE)},
)


def main(version: str, kind: Kind) -> None:
    """Check, write, commit and tag, and say what to push."""
    changelog = ROOT / kind.changelog
    changes = check(version, changelog.read_text(), kind)
    for name, place in kind.places.items():
        file = ROOT / name
        file.write_text(place.sub(lambda found: found[0].replace(found[1], version), file.read_text(), count=1))
    heading = f"## [Unreleased]\n\n## [{version}] - {datetime.now(UTC).date()}\n"
    changelog.write_text(changelog.read_text().replace("## [Unreleased]\n", heading, 1))
    written = [kind.changelog, *kind.places]
    if kind is CHASSIS:
        subprocess.run([sys.executable, "-m", "chassis.manifest"], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
        written.append(MANIFEST)
    tag = f"{kind.prefix}{version}"
    git("commit", "-q", "-m", f"Release {tag if kind is CHASSIS else version}", "--", *written)
    git("tag", "-a", tag, "--cleanup=verbatim", "-m", f"Release {version}\n\n{changes}")
    print(f"Committed and tagged {tag}. To publish it: git push --follow-tags")  # noqa: T201


def check(version: str, changelog: str, kind: Kind) -> str:
    """Return what has changed; end with a sentence when no release can be made."""
    if not SEMANTIC.fullmatch(version):
        sys.exit(f"{version!r} is not a semantic version such as 1.2.3: make release VERSION=1.2.3")
    if git("status", "--porcelain"):
        sys.exit("The tree has changes: commit or remove them first.")
    tags = [tag.removeprefix(kind.prefix) for tag in git("tag", "--list", f"{kind.prefix}*").split()]
    released = [tag for tag in tags if SEMANTIC.fullmatch(tag)]
    if version in released:
        sys.exit(f"The tag {kind.prefix}{version} exists already.")
    name, place = next(iter(kind.places.items()))
    now = place.search((ROOT / name).read_text())[1]
    if numbers(version) < max(map(numbers, [now, *released])):
        sys.exit(f"{version} is not newer than {max([now, *released], key=numbers)}.")
    found = UNRELEASED.search(changelog)
    if found is None or not re.search(r"^- ", found[1], re.MULTILINE):
        sys.exit(f'{kind.changelog} has nothing under "Unreleased": describe the changes first.')
    return found[1].strip()


def numbers(version: str) -> list[int]:
    """Return a version's parts as numbers, which compare in the order of versions."""
    return [int(part) for part in version.split(".")]


def git(*arguments: str) -> str:
    """Run git in the repository and return its output; exit if it fails, after git's own message."""
    done = subprocess.run(["git", *arguments], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        sys.exit(done.returncode)
    return done.stdout.strip()


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "", CHASSIS if "chassis" in sys.argv[2:] else SERVICE)
