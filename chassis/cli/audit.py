"""`flask audit`: read, verify and export the audit log."""

import json
from collections.abc import Iterator
from typing import IO, Any

import click

from chassis.base.times import iso
from chassis.cli.durations import Duration
from chassis.commands import Group
from chassis.db import clock
from chassis.errors import BadRequest
from chassis.security import audit, audit_chain
from chassis.security.audit_chain import CONTENT, Head

group = Group("audit", help="Read the audit log, and verify that it is unchanged.")
EXPORTED = ("number", *CONTENT, "previous", "hash")


@group.command("list")
@click.option("--limit", default=50, show_default=True, help="Number of entries, newest first.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_command(limit: int, as_json: bool) -> None:
    """Print the audit log, newest first."""
    for line in audit.listing(limit=limit):
        shown = line | {"at": iso(line["at"])}
        plain = "  ".join(str(shown[name] or "-") for name in ("at", "actor", "action", "target", "address", "result"))
        click.echo(json.dumps(shown) if as_json else plain)


@group.command()
def head() -> None:
    """Print the number and hash of the last entry, to keep where nobody who can write the database can write."""
    click.echo(str(audit.head()))


@group.command()
@click.option("--head", "known", default="", help="A head that was kept elsewhere; detects a rewritten log.")
@click.argument("file", type=click.File("r", encoding="utf-8"), required=False)
def verify(known: str, file: IO[str] | None) -> None:
    """Check every entry of the log, or of a FILE from `flask audit export`; report the first broken one."""
    given = Head.parse(known) if known else None
    last = audit_chain.check(_entries(file), known=given) if file else audit.verify(given)
    click.echo(f"The log is intact. Its head: {last}" if last else "The log is empty.")


@group.command()
@click.option("--since", type=Duration(), help="Only entries from the last, for example, 30d.")
@click.option(
    "--to", type=click.File("w", encoding="utf-8"), default="-", help="Write to a file instead of standard output."
)
def export(since: float | None, to: IO[str]) -> None:
    """Write the log as JSON lines, oldest first; `flask audit verify FILE` checks them anywhere."""
    for entry in audit.export(0.0 if since is None else clock.now() - since):
        to.write(json.dumps({"time": iso(entry["at"]), **{name: entry[name] for name in EXPORTED}}) + "\n")


def _entries(file: IO[str]) -> Iterator[dict[str, Any]]:
    """Yield the entries of an export; raise BadRequest for a malformed line."""
    for place, line in enumerate(file, start=1):
        try:
            entry = json.loads(line)
            found = {name: entry[name] for name in EXPORTED}
            found["number"], found["at"] = int(found["number"]), float(found["at"])
        except (ValueError, KeyError, TypeError):
            raise BadRequest(f"Line {place} of the file is not an audit log entry.") from None
        yield found
