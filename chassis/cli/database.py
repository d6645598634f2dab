"""`flask db`: the state of the tables, migrations and backups."""

import os
import shlex
import sys
import time
from pathlib import Path

import click

from chassis.base.times import iso
from chassis.boot import branches, make_folder
from chassis.commands import Group
from chassis.db import backup, copying, db
from chassis.db.backup.model import Backup, Restored
from chassis.db.schema import pending, print_sql, upgrade
from chassis.files import backup as files
from chassis.settings import Settings
from chassis.wiring import current_settings

group = Group("db", help="Inspect, migrate, back up and restore the database.")
NICENESS = 10  # the service has priority


def _settings() -> Settings:
    found: Settings = current_settings()
    return found


def _say(line: str) -> None:
    click.echo(line)


@group.command()
def status() -> None:
    """Report whether migrations are pending; the exit status is 1 if they are."""
    missing = pending(db, branches())
    click.echo("\n".join(f"pending  {line}" for line in missing) or "The database is up to date.")
    raise SystemExit(1 if missing else 0)


@group.command("upgrade")
@click.option("--sql", "only_sql", is_flag=True, help="Print the SQL and change nothing.")
def upgrade_command(only_sql: bool) -> None:
    """Make a backup, then apply the pending migrations."""
    make_folder(_settings())
    if only_sql:
        print_sql(db, branches(), sys.stdout)
        return
    if made := backup.before_migrations(_settings(), db, branches(), _say):
        click.echo(f"backup  {made}")
    done = upgrade(db, branches())
    click.echo("\n".join(f"migrated  {line}" for line in done) or "The database is up to date.")


@group.command("backup")
@click.option(
    "--to", default="", help="A folder or s3://bucket/prefix instead of BACKUP_TO; old backups there are kept."
)
@click.option("--files", "with_files", is_flag=True, help="Also pack the uploaded files, beside the backup.")
def backup_command(to: str, with_files: bool) -> None:
    """Make a backup while the service runs, and remove old backups."""
    os.nice(NICENESS)
    place = str(Path(to).absolute()) if to and "://" not in to else to
    made = backup.make(_settings(), to=place, report=_say)
    click.echo(
        f"made {made.place}/{made.name}, {made.size_bytes / 1e6:.1f} MB of {made.database_bytes / 1e6:.1f} MB, "
        f"in {made.duration_seconds:.1f} s"
    )
    if with_files:
        click.echo(files.make(_settings(), made.name, _say, to=place))
    for name in [] if to else backup.prune(_settings()):
        click.echo(f"removed {name}")


@group.command()
def backups() -> None:
    """List the backups in BACKUP_TO, newest first."""
    found = backup.listing(_settings())
    click.echo("\n".join(_line(one) for one in found) or "There are no backups.")


@group.command()
@click.argument("wanted", metavar="[NAME|FILE|URL]", default="latest")
def verify(wanted: str) -> None:
    """Restore a backup, by default the latest, into a scratch folder and verify it."""
    os.nice(NICENESS)
    proof = backup.verify(wanted, _settings(), _say)
    click.echo("\n".join(f"{count:>12}  {table}" for table, count in proof.rows.items()))
    click.echo("\n".join(f"migrations apply  {line}" for line in proof.migrated) or "no migrations are pending")
    click.echo(f"{proof.name} is valid, SHA-256 {proof.sha256}")


@group.command()
@click.argument("wanted", metavar="NAME|FILE|URL")
@click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
@click.option("--files", "with_files", is_flag=True, help="Also replace the uploaded files by those of that backup.")
def restore(wanted: str, yes: bool, with_files: bool) -> None:
    """Replace the database with a backup (`latest` is the newest) while the service is stopped."""
    if with_files:
        wanted = files.checked(wanted, _settings())
    done = backup.restore(wanted, _settings(), _say, lambda question: yes or click.confirm(question))
    click.echo("\n".join(_told(done)) if done else "Nothing was changed.")
    if done and with_files:
        click.echo(files.restore(wanted, _settings(), _say))
    raise SystemExit(0 if done else 1)


@group.command("copy")
@click.option("--to", required=True, help="The URL of an empty database; its password may be in PGPASSWORD.")
def copy_command(to: str) -> None:
    """Copy all rows to an empty database, such as from SQLite to PostgreSQL, while the service is stopped."""
    counts = copying.copy(db, _settings(), to, branches(), _say)
    click.echo("\n".join(f"{count:>12,}  {table}" for table, count in counts.items()))
    click.echo("The copy has the same rows. Set DATABASE_URL to it, and start the service.")


def _told(done: Restored) -> list[str]:
    lines = [f"restored {done.name}, {done.size_bytes / 1e6:.1f} MB"]
    lines += [f"the next start migrates  {line}" for line in done.pending]
    if done.kept:
        lines += [
            f"the old database is now {done.kept}; to go back:",
            f"  flask db restore {shlex.quote(done.kept)} --yes",
        ]
    return lines


def _line(one: Backup) -> str:
    hours = (time.time() - one.made_at) / 3600
    proven = f"verified {iso(one.proven_at)}" if one.proven_at else "not verified"
    return f"{one.name}  {one.size_bytes / 1e6:>10.1f} MB  {hours:>7.1f} h old  {proven}"
