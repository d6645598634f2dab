"""`make upgrade [TO=v0.3.0] [FROM=path or URL] [DRY=1]`: take a newer version of the template."""

import argparse
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from chassis.template import Refused, merging, notes, record, say, source
from chassis.template.git import git
from chassis.template.record import Record
from chassis.template.sides import Sides, sides


def main() -> int:
    """Read the options and upgrade; the exit status is 1 when conflicts are left."""
    parser = argparse.ArgumentParser(description="Upgrade to a newer version of the template.")
    parser.add_argument("--to", default="")
    parser.add_argument("--from", dest="address", default="")
    parser.add_argument("--dry-run", action="store_true")
    given = parser.parse_args()
    try:
        return upgrade(Path.cwd(), given.to, given.address, given.dry_run)
    except Refused as why:
        sys.exit(f"Nothing was upgraded. {why}")


def upgrade(root: Path, to: str, address: str, dry: bool) -> int:
    """Merge a version into the files without a commit, or only say what that would do; return an exit status."""
    if git(root, "status", "--porcelain"):
        raise Refused("There are uncommitted changes: commit or remove them first.")
    known = record.read(root)
    origin = record.absolute(address, root) if address else known.origin if known else ""
    if not origin:
        raise Refused("It is not known where the template is: give FROM=path or URL.")
    source.fetch(root, origin)
    tag, new = source.wanted(root, to)
    base = source.base(root, known, new)
    if base == new:
        say(f"This is {tag} already.")
        return 0
    _refuse_edits(root, base)
    both = sides(root, base, new, f"{tag} of the template")
    conflicts = _tried(root, both) if dry else merging.merge(root, both)
    left = () if dry else _finished(root, both, Record(origin, tag, new), known, not conflicts)
    _tell(root, base, new, both, conflicts)
    say(f"\n{'Nothing was changed' if dry else 'Nothing is committed'}: {source.version(root, base)} to {tag}.")
    if left:
        say("\n    ".join(("Resolve the conflicts, then:" if conflicts else "Then:", *left)))
    return 1 if conflicts else 0


def _refuse_edits(root: Path, base: str) -> None:
    edits = git(root, "diff", f"{base}:chassis", "HEAD:chassis")
    if edits:
        say(edits)
        raise Refused("chassis/ was edited, see above; an upgrade replaces it. Move the edits to app/, and undo them.")


def _tried(root: Path, both: Sides) -> list[str]:
    """Merge in a copy of the last commit, print what changes, and return the conflicts."""
    with tempfile.TemporaryDirectory() as scratch:
        place = Path(scratch) / "tried"
        git(root, "worktree", "add", "--quiet", "--detach", str(place), "HEAD")
        try:
            conflicts = merging.merge(place, both)
            _list(place)
            return conflicts
        finally:
            git(root, "worktree", "remove", "--force", str(place))


def _finished(root: Path, both: Sides, now: Record, known: Record | None, clean: bool) -> list[str]:
    """Generate locks and documents again and write the record; return the commands that are left."""
    left = merging.locks(root, both, clean)
    left += merging.documents(root, clean and not left)
    answers = known or now
    record.write(root, replace(answers, origin=now.origin, tag=now.tag, commit=now.commit))
    git(root, "add", record.FILE)
    _list(root)
    return [*left, "make lint", "make test", "git add --all && git commit"]


def _list(place: Path) -> None:
    changes = git(place, "diff", "--cached", "--name-status", "--no-renames", "HEAD").splitlines()
    rim = [line for line in changes if not line.partition("\t")[2].startswith("chassis/")]
    say(f"chassis/ replaced: {len(changes) - len(rim)} files differ. Beside it:")
    for line in rim:
        say(f"  {line}")


def _tell(root: Path, base: str, new: str, both: Sides, conflicts: list[str]) -> None:
    for title, lines in (
        ("Left out, since it was deleted here or is a new example:", both.left_out),
        ("Conflicts, both sides changed the same lines:", conflicts),
        ("Settings:", tuple(notes.settings(root, base, new))),
    ):
        if lines:
            say("\n".join(("", title, *(f"  {line}" for line in lines))))
    for section in notes.upgrading(root, base, new):
        say(f"\nUPGRADING {section}")


if __name__ == "__main__":
    sys.exit(main())
