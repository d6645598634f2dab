#!/usr/bin/env python3
"""Make a release: `make release VERSION=1.2.3` writes version and changelog, commits and tags; it pushes nothing."""

import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SEMANTIC = re.compile(r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)")
# Where the version stands; a test holds them together.
PLACES = {
    "app/__init__.py": re.compile(r'\bversion="(.*?)"'),
    "pyproject.toml": re.compile(r'^version = "(.*)"$', re.MULTILINE),
}
UNRELEASED = re.compile(r"^## \[Unreleased\]\n(.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)


def main(version: str) -> None:
    """Check, write, commit and tag, and say what to push."""
    changelog = ROOT / "CHANGELOG.md"
    changes = check(version, changelog.read_text())
    for name, place in PLACES.items():
        file = ROOT / name
        file.write_text(place.sub(lambda found: found[0].replace(found[1], version), file.read_text(), count=1))
    heading = f"## [Unreleased]\n\n## [{version}] - {datetime.now(UTC).date()}\n"
    changelog.write_text(changelog.read_text().replace("## [Unreleased]\n", heading, 1))
    git("commit", "-q", "-m", f"Release {version}", "--", "CHANGELOG.md", *PLACES)
    git("tag", "-a", f"v{version}", "--cleanup=verbatim", "-m", f"Release {version}\n\n{changes}")
    print(f"Committed and tagged v{version}. To publish it: git push --follow-tags")  # noqa: T201


def check(version: str, changelog: str) -> str:
    """Return what has changed; end with a sentence when no release can be made."""
    if not SEMANTIC.fullmatch(version):
        sys.exit(f"{version!r} is not a semantic version such as 1.2.3: make release VERSION=1.2.3")
    if git("status", "--porcelain"):
        sys.exit("The tree has changes: commit or remove them first.")
    released = [tag[1:] for tag in git("tag", "--list", "v*").split() if SEMANTIC.fullmatch(tag[1:])]
    if version in released:
        sys.exit(f"The tag v{version} exists already.")
    now = PLACES["app/__init__.py"].search((ROOT / "app/__init__.py").read_text())[1]
    if numbers(version) < max(map(numbers, [now, *released])):
        sys.exit(f"{version} is not newer than {max([now, *released], key=numbers)}.")
    found = UNRELEASED.search(changelog)
    if found is None or not re.search(r"^- ", found[1], re.MULTILINE):
        sys.exit('CHANGELOG.md has nothing under "Unreleased": describe the changes first.')
    return found[1].strip()


def numbers(version: str) -> list[int]:
    """Return a version's parts, which compare as versions do."""
    return [int(part) for part in version.split(".")]


def git(*arguments: str) -> str:
    """Run git in the repository and return what it prints; end when it fails, which says why."""
    done = subprocess.run(["git", *arguments], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        sys.exit(done.returncode)
    return done.stdout.strip()


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "")
