"""`make example [NAME=... [REMOVE=1]]`: copy an example to the features of this service, or take the copy away."""

import argparse
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from chassis.template import Refused, baseline, examples, requirements, say
from chassis.template.examples import FEATURES, FOLDER
from chassis.template.places import LOCK
from chassis.template.sides import GENERATED

INSTALL = "The requirements could not be locked and installed, see above: try again with a network."
DOCUMENT = "The documents of the settings could not be written, see above: the service must start."


def main() -> None:
    """Read the options; list, copy or remove."""
    parser = argparse.ArgumentParser(description="Copy an example to the features of this service.")
    parser.add_argument("--name", default="")
    parser.add_argument("--remove", action="store_true")
    given = parser.parse_args()
    try:
        if not given.name:
            tell(Path.cwd())
        else:
            (remove if given.remove else add)(Path.cwd(), given.name)
    except Refused as why:
        sys.exit(f"Nothing was {'removed' if given.remove else 'added'}. {why}")


def tell(root: Path) -> None:
    """Print a line about each example."""
    found = examples.found(root)
    if not found:
        return say(f"There are no examples in {FOLDER}/: they are in the repository of the template.")
    wide = max(map(len, found))
    for name in found:
        say(f"  {name:{wide}}  {examples.about(root, name)}")
    return say(f"\nmake example NAME={found[0]} copies one to {FEATURES}/; {FOLDER}/README.md compares them.")


def add(root: Path, name: str) -> None:
    """Copy an example, add its requirements, and write what is generated from them, or change nothing."""
    target = f"{FEATURES}/{examples.checked(root, name)}"
    if examples.copied(root, name):
        raise Refused(f"{target} is there already.")
    with _whole(root, lambda: shutil.rmtree(root / target, ignore_errors=True)) as before:
        examples.copy(root, name)
        say(f"copied   {FOLDER}/{name} to {target}")
        _settle(root, f"{FOLDER}/{name}", target)
        _tell_changes(root, before)
    steps = {f'make test-app ARGS="-k {name}"': "runs its tests", "make dev": f"serves; see {target}/README.md"}
    wide = max(map(len, steps))
    say("\n".join(("", "Next:", *(f"  {command:{wide}}  # {text}" for command, text in steps.items()))))


def remove(root: Path, name: str) -> None:
    """Delete an unchanged copy and what it added, or change nothing."""
    target = f"{FEATURES}/{examples.checked(root, name)}"
    if not examples.copied(root, name) or (root / target).is_symlink():
        raise Refused(f"There is no copy of it in {FEATURES}/.")
    if edits := examples.edits(root, name):
        raise Refused(f"These files of {target} are not as in {FOLDER}/{name}: {', '.join(edits)}.")
    with _whole(root, lambda: examples.copy(root, name)) as before:
        shutil.rmtree(root / target)
        say(f"removed  {target}; its tables stay in databases that have them")
        _settle(root, f"{FOLDER}/{name}", target)
        _tell_changes(root, before)


def _settle(root: Path, source: str, target: str) -> None:
    """Write the requirements, locks and documents that the present features need."""
    baseline.follow(root, source, target)
    _make(root, ".venv/installed-dev", INSTALL)
    if requirements.write(root):
        _make(root, "lock", INSTALL)
        _make(root, ".venv/installed-dev", INSTALL)
    _make(root, "docs", DOCUMENT, stdout=subprocess.DEVNULL)  # the files are told below


def _make(root: Path, target: str, otherwise: str, stdout: int | None = None) -> None:
    if subprocess.run(["make", "-s", target], cwd=root, stdout=stdout, check=False).returncode:
        raise Refused(otherwise)


@contextmanager
def _whole(root: Path, undo: Callable[[], object]) -> Iterator[dict[Path, str]]:
    """Remember the files that can change besides the copy, and restore everything after a mistake."""
    names = (requirements.LIST, baseline.FILE, *GENERATED)
    locks = (path for path in root.iterdir() if LOCK.fullmatch(path.name))
    before = {path: path.read_text() for path in (*(root / name for name in names), *sorted(locks)) if path.is_file()}
    try:
        yield before
    except BaseException:
        undo()
        for path, text in before.items():
            path.write_text(text)
        raise


def _tell_changes(root: Path, before: dict[Path, str]) -> None:
    for path, text in before.items():
        if path.read_text() != text:
            say(f"changed  {path.relative_to(root)}")


if __name__ == "__main__":
    main()
