"""Verifies a backup by restoring it."""

from contextlib import nullcontext
from pathlib import Path

from chassis.db.backup import checks, memory, postgres
from chassis.db.backup.faults import explained
from chassis.db.backup.fetching import bring, find
from chassis.db.backup.model import Proof, Report, made_at
from chassis.db.backup.places import SCRATCH, alone, place_of, stem_of
from chassis.db.snapshot.source import Source
from chassis.settings import Settings

UNTOUCHED = "The backups are unchanged."


def verify(wanted: str, settings: Settings, report: Report) -> Proof:
    """Restore a backup into a scratch folder or database, check it there, and record that it was tested.

    `wanted` is a name in BACKUP_TO, a file, a URL, or `latest`. It checks the checksum, every page, index and foreign
    key (for PostgreSQL, that everything loads and all rows exist), and that the migrations up to the code's newest
    apply. Raises AppError with the problem.
    """
    source, name = find(wanted, settings)
    shown = name or source.shown
    remembered = memory.failure_remembered(settings, "drill") if name else nullcontext()
    with remembered, alone(place_of(settings), settings, report) as folder, explained(folder, UNTOUCHED):
        (folder / SCRATCH).mkdir(mode=0o700)
        prove = _prove if settings.sqlite_path else postgres.prove
        proof = prove(source, shown, folder / SCRATCH, settings, report)
    if name:
        memory.remember_proof(settings, name, made_at(name, stem_of(settings)) or 0.0, proof.sha256)
    return proof


def _prove(source: Source, shown: str, folder: Path, settings: Settings, report: Report) -> Proof:
    path = folder / "app.db"
    checksum = bring(source, path, settings, report)
    report("checking every page, index and foreign key")
    checks.sound(path, shown)
    rows = checks.row_counts(path)
    return Proof(shown, checksum, rows, checks.migrate(checks.url_of(path), rows, settings, shown))
