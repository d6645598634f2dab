"""Replaces the database by a backup, and keeps the old one."""

from collections.abc import Callable
from pathlib import Path

from chassis.db import db
from chassis.db.backup import checks, postgres
from chassis.db.backup.faults import explained
from chassis.db.backup.fetching import bring, find
from chassis.db.backup.model import BackupError, Report, Restored
from chassis.db.lock import only_one
from chassis.db.snapshot import install
from chassis.errors import BootError
from chassis.settings import Settings


def restore(wanted: str, settings: Settings, report: Report, agreed: Callable[[str], bool]) -> Restored | None:
    """Replace the database by a backup: a name in BACKUP_TO, a file, a URL, or `latest`.

    Everything is verified first; `agreed` is called with a question that names what will be replaced, and None is
    returned if it returns False. Raises AppError while another process has the database open. A start waits until the
    restore has finished.
    """
    target = settings.sqlite_path
    if target is None:
        return postgres.restore(wanted, settings, report, agreed)
    target.parent.mkdir(parents=True, exist_ok=True)
    source, name = find(wanted, settings)
    db.close()  # so that this process does not have it open
    with only_one(settings, lambda: report("waiting for another process that boots on this database")):
        install.remove_leftovers(target)
        try:
            with explained(target.parent, "The database is unchanged."):
                _refuse_if_open(target)
                fetched = install.temporary_path(target)
                bring(source, fetched, settings, report)
                return _replace(fetched, target, name or source.shown, settings, agreed)
        except BootError as error:
            raise BackupError(error.message) from None
        finally:
            install.remove_leftovers(target)
            db.open(settings)


def _refuse_if_open(target: Path) -> None:
    if install.has_database(target):
        with install.to_itself(target):
            pass


def _replace(
    fetched: Path, target: Path, shown: str, settings: Settings, agreed: Callable[[str], bool]
) -> Restored | None:
    checks.sound(fetched, shown)
    pending = checks.pending(checks.url_of(fetched), checks.row_counts(fetched), settings, shown)
    present = f"{target} ({target.stat().st_size / 1e6:.1f} MB)" if install.has_database(target) else None
    if not agreed(f"Replace {present} with {shown}? The old one is kept." if present else f"Create {target}?"):
        return None
    # Keep the record of the snapshot that the present database came from: without it, a start with the policy `refresh`
    # would take that snapshot for a new one and replace the restored database.
    if came_from := install.read_installed(target):
        install.record(fetched, came_from[0])
    install.sync(fetched)
    kept = install.install(fetched, target)
    return Restored(shown, target.stat().st_size, str(kept) if kept else None, pending)
