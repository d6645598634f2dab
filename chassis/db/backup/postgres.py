"""Verifies and restores backups of PostgreSQL, each first in a scratch database of the same server."""

import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import NullPool, create_engine, text
from sqlalchemy.engine import make_url

from chassis.db import db
from chassis.db.backup import checks, dumps
from chassis.db.backup.faults import explained
from chassis.db.backup.fetching import bring_dump, find
from chassis.db.backup.model import BackupError, Proof, Report, Restored
from chassis.db.backup.places import SCRATCH, alone, place_of
from chassis.db.backup.server import Server, alone_on, at
from chassis.db.snapshot.source import Source
from chassis.settings import Settings

MOST_CHARACTERS = 40  # of a database's name in a longer one, which PostgreSQL truncates after 63 bytes
KEPT = re.compile(r"(.+)_\d{14}")
TABLES = """
SELECT CAST(CAST(c.oid AS regclass) AS text) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'r' AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_' ORDER BY 1
"""
GOING_LOOKS, GOING_SECONDS = 10, 0.2
Agreed = Callable[[str], bool]


def prove(source: Source, shown: str, folder: Path, settings: Settings, report: Report) -> Proof:
    """Restore a backup into a scratch database, check and migrate it there, then drop it."""
    file, checksum = bring_dump(source, folder, settings, report)
    url = settings.database_url.get_secret_value()
    with alone_on(url, report) as server, _loaded(server, file, shown, _named(url, "drill"), url, report) as rows:
        return Proof(shown, checksum, rows, checks.migrate(at(url, _named(url, "drill")), rows, settings, shown))


def restore(wanted: str, settings: Settings, report: Report, agreed: Agreed) -> Restored | None:
    """Replace the database by a backup, or by a database that an earlier restore kept; the old one is kept.

    Raises BackupError while anyone is connected to it; it is not changed before the last step.
    """
    url = settings.database_url.get_secret_value()
    try:
        untouched = explained(place_of(settings).staging, "The database is unchanged.")
        with untouched, alone_on(url, report) as server:
            kept = KEPT.fullmatch(wanted)
            if kept and f"{kept[1]}_" == _named(url, "") and server.has(wanted):
                _refuse_if_used(server, url)
                return _replace(server, url, wanted, wanted, settings, agreed)
            return _from_backup(server, url, wanted, settings, report, agreed)
    finally:
        db.open(settings)


def _from_backup(
    server: Server, url: str, wanted: str, settings: Settings, report: Report, agreed: Agreed
) -> Restored | None:
    source, name = find(wanted, settings)
    _refuse_if_used(server, url)
    with alone(place_of(settings), settings, report) as folder:
        (folder / SCRATCH).mkdir(mode=0o700)
        file, _ = bring_dump(source, folder / SCRATCH, settings, report)
        made, shown = _named(url, "restore"), name or source.shown
        with _loaded(server, file, shown, made, url, report):
            return _replace(server, url, made, shown, settings, agreed)


@contextmanager
def _loaded(server: Server, file: Path, shown: str, name: str, url: str, report: Report) -> Iterator[dict[str, int]]:
    """Yield the row counts of a database made from a dump; drop it afterwards, unless it was renamed."""
    held = dumps.rows_in(file)
    server.drop(name)  # left by a process that was killed
    server.create(name, like=_database(url))
    try:
        dumps.load(file, at(url, name), report, len(held))
        report("counting the rows of each table")
        rows = _rows(at(url, name))
        if wrong := [table for table, number in held.items() if rows.get(table) != number]:
            raise BackupError(f"{shown} is incomplete (rows of {', '.join(wrong)}): take another backup.")
        yield {table.removeprefix("public."): number for table, number in rows.items()}
    finally:
        server.drop(name)


def _replace(server: Server, url: str, made: str, shown: str, settings: Settings, agreed: Agreed) -> Restored | None:
    tables = {table.removeprefix("public."): 0 for table in _rows(at(url, made))}
    pending = checks.pending(at(url, made), tables, settings, shown)
    size, target = server.size_bytes(made), _database(url)
    present = f"the database {target} ({server.size_bytes(target) / 1e6:.1f} MB)" if server.has(target) else None
    question = f"Replace {present} with {shown}? The old one is kept." if present else f"Create the database {target}?"
    if not agreed(question):
        return None
    kept = _free_name(server, url) if present else None
    server.rename(*([(target, kept)] if kept else []), (made, target))
    return Restored(shown, size, kept, pending)


def _free_name(server: Server, url: str) -> str:
    """Return the new name of the old database, with the time; waits if that second's name is taken."""
    while server.has(name := _named(url, datetime.now(UTC).strftime("%Y%m%d%H%M%S"))):
        time.sleep(0.1)
    return name


def _refuse_if_used(server: Server, url: str) -> None:
    """Raise BackupError if the database is in use; connections that were just closed can be listed for a moment."""
    db.close()  # so that this process is not connected to it
    for _ in range(GOING_LOOKS):
        if not (users := server.users(_database(url))):
            return
        time.sleep(GOING_SECONDS)
    raise BackupError(f"The database {_database(url)} is in use ({users}): stop the service first.")


def _rows(url: str) -> dict[str, int]:
    """Return {schema.table: rows} of a database, with names as PostgreSQL's tools write them."""
    with create_engine(url, poolclass=NullPool).connect() as connection:
        connection.execute(text("SET search_path = ''"))
        names = connection.execute(text(TABLES)).scalars().all()
        return {name: connection.execute(text(f"SELECT count(*) FROM {name}")).scalar_one() for name in names}  # noqa: S608


def _database(url: str) -> str:
    return str(make_url(url).database)


def _named(url: str, what: str) -> str:
    return f"{_database(url)[:MOST_CHARACTERS]}_{what}"
