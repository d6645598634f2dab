"""`make new DIR=../acme NAME="Acme Lab"`: a fresh repository from the last commit of this one."""

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

from chassis.template import Refused, examples, fitting, identity, record, refusals, rename, say, starter, stripping
from chassis.template.git import attempt, export, git
from chassis.template.record import Record

FIRST = "0.1.0"
SHOWN = "docs/screenshot.png"  # of the example, in the README


def main() -> None:
    """Read the options and make the repository."""
    parser = argparse.ArgumentParser(description="Make a repository of its own from this one's last commit.")
    for option in ("--dir", "--name", "--slug", "--examples"):
        parser.add_argument(option, default="")
    parser.add_argument("--parts", help="names with commas; by default those of this repository")
    given = parser.parse_args()
    try:
        new(Path.cwd(), given)
    except Refused as why:
        sys.exit(f"Nothing was made. {why}")


def new(source: Path, given: argparse.Namespace) -> None:
    """Make a repository beside its place, and move it there when it is whole."""
    target = _free(given.dir)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=f".{target.name}-") as scratch:
        made = Path(scratch) / "new"
        known, left = _written(source, made, given)
        _commit(made, f"Start {known.name}", known)
        shutil.rmtree(target, ignore_errors=True)  # an empty folder
        made.replace(target)
    commands = " && ".join((f"cd {target}", *left, "make run"))
    say(f"Made {target} from {known.tag or known.commit[:12]}: {commands}")


def _free(wanted: str) -> Path:
    if not wanted:
        raise Refused('Give a folder and a name: DIR=../acme NAME="Acme Lab"')
    target = Path(wanted).expanduser().resolve()
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise Refused(f"{target} exists and is not an empty folder.")
    if not target.parent.is_dir():
        raise Refused(f"{target.parent} does not exist.")
    return target


def _written(source: Path, made: Path, given: argparse.Namespace) -> tuple[Record, list[str]]:
    """Write the files of the new repository; return its record, and the commands that are left to run there."""
    commit = git(source, "rev-parse", "HEAD")
    export(source, commit, made)
    old = identity.read(made)
    who = refusals.identity(given.name, given.slug, made, old)
    chosen = stripping.chosen(stripping.available(made), given.examples, "example")
    parts = _parts(made, given.parts)
    others = examples.found(made)
    copied = stripping.strip(made, chosen, parts)
    shipped = (made / "README.md").read_text()
    rename.apply(made, old, who)
    _first_version(made)
    readmes = {name: f"{examples.FEATURES}/{name}/README.md" for name in chosen if name in others}
    (made / "README.md").write_text(starter.readme(who.name, shipped, len(readmes) < len(chosen), readmes))
    (made / "CHANGELOG.md").write_text(starter.CHANGELOG)
    (made / SHOWN).unlink(missing_ok=True)
    origin, tag = record.origin_of(source), record.tag_of(source, commit)
    known = Record(origin, tag, commit, who.name, who.slug, parts, chosen)
    record.write(made, known)
    return known, fitting.fit(source, made, bool(copied))


def _first_version(made: Path) -> None:
    service, package = made / identity.FILE, made / "pyproject.toml"
    service.write_text(identity.replaced(service.read_text(), {"version": f'"{FIRST}"'}))
    package.write_text(identity.versioned(package.read_text(), FIRST))


def _parts(made: Path, wanted: str | None) -> tuple[str, ...]:
    if wanted is None:
        return identity.parts((made / identity.FILE).read_text())
    return stripping.chosen(examples.names(made / stripping.PARTS), wanted, "part")


def _commit(made: Path, subject: str, known: Record) -> None:
    """Commit everything; an author that git does not know is the service itself."""
    git(made, "init", "-q")
    git(made, "add", "--all")
    author = () if not attempt(made, "var", "GIT_AUTHOR_IDENT").returncode else _author(known)
    body = f"From the template's {known.tag or 'commit'} {known.commit}."
    git(made, *author, "commit", "-q", "-m", subject, "-m", body)


def _author(known: Record) -> tuple[str, ...]:
    return "-c", f"user.name={known.name}", "-c", f"user.email={known.slug}@localhost"


if __name__ == "__main__":
    main()
