"""`flask new migration`: the difference between a feature's tables and its migrations, as its next migration."""

from pathlib import Path
from textwrap import indent

from sqlalchemy import Table

from chassis import features
from chassis.boot.migrations import load_tables
from chassis.cli.new.comparing import changes
from chassis.cli.new.names import own_feature
from chassis.cli.new.rendering import rendered
from chassis.cli.new.statements import INDENT, statements
from chassis.db.schema import Branch
from chassis.errors import BadRequest
from chassis.naming import slug_of

SLUG_MAX = 60


def write(name: str, what: str) -> Path | None:
    """Write the next migration of a feature and return its file, or None when its tables are what they should be."""
    slug = slug_of(what)[:SLUG_MAX].strip("-").replace("-", "_")
    if not slug or '"' in what or "\\" in what:
        raise BadRequest('No file was written. Say in a few words what changes, such as "albums have a cover".')
    folder = own_feature(name) / "migrations"
    branch = Branch(name, folder)
    declared = tables(name)
    if not declared and not branch.revisions():
        raise BadRequest(f"No file was written. {name} has no tables: declare them in app/features/{name}/tables.py.")
    found = statements(changes(branch, declared))
    if not found:
        return None
    return _written(branch, slug, what, found)


def tables(name: str) -> set[str]:
    """Return the names of the tables that a feature declares in tables.py."""
    load_tables()
    package = f"app.features.{name}."
    modules = [module for module in features.modules("tables") if module.__name__.startswith(package)]
    return {thing.name for module in modules for thing in vars(module).values() if isinstance(thing, Table)}


def _written(branch: Branch, slug: str, what: str, found: list[str]) -> Path:
    known = branch.revisions()
    last = known[-1] if known else None
    revision = f"{int(last or 0) + 1:04}"
    values = {
        "what": f"{what[:1].upper()}{what[1:].rstrip('.')}.",
        "revision": revision,
        "before": f'"{last}"' if last else "None",
        "body": indent("\n".join(found), INDENT),
    }
    path = branch.folder / f"{revision}_{slug}.py"
    branch.folder.mkdir(exist_ok=True)
    with path.open("x") as file:
        file.write(rendered("migration/migration.py", values))
    return path
