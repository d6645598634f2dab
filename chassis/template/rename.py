"""`make rename NAME="Acme Lab" [SLUG=acme-lab]`: give the service another name, in every file that carries it."""

import argparse
import sys
from pathlib import Path

from chassis.template import Refused, places, refusals, say
from chassis.template.identity import FILE, Identity, named, read


def main() -> None:
    """Check the name, change the files and say which."""
    parser = argparse.ArgumentParser(description="Rename the service.")
    parser.add_argument("--name", default="")
    parser.add_argument("--slug", default="")
    given = parser.parse_args()
    try:
        rename(Path.cwd(), given.name, given.slug)
    except Refused as why:
        sys.exit(f"Nothing was renamed. {why}")


def rename(root: Path, name: str, slug: str) -> None:
    """Rename the service in a folder, and say what was changed."""
    old = read(root)
    if refusals.wanted(name, slug) == old:
        return say(f"The service is {old.name} ({old.slug}) already.")
    new = refusals.identity(name, slug, root, old)
    changed = apply(root, old, new)
    for line in changed:
        say(line)
    return say(f"{old.name} ({old.slug}) is now {new.name} ({new.slug}): {len(changed)} files changed.")


def apply(root: Path, old: Identity, new: Identity) -> list[str]:
    """Change every file that carries the old name, and return a line for each; what is new already stays."""
    changed: list[str] = []
    if old == new:
        return changed
    for path in list(places.files(root)):
        changed += _file(root, path, old, new)
    text = (root / FILE).read_text()
    if named(text, new) != text:
        (root / FILE).write_text(named(text, new))
        changed.append(FILE)
    return changed


def _file(root: Path, path: Path, old: Identity, new: Identity) -> list[str]:
    """Change a file's text and name; return a line about it when something changed."""
    name = path.relative_to(root).as_posix()
    text = places.text_of(path)
    after = None if text is None else places.renamed(name, text, old, new)
    if after is not None and after != text:
        path.write_bytes(after.encode())
    moved = path.with_name(places.replaced(path.name, old.slug, new.slug))
    if moved != path and path.parent != root:
        path.rename(moved)
        return [f"{name} -> {moved.relative_to(root).as_posix()}"]
    return [name] if after != text else []


if __name__ == "__main__":
    main()
