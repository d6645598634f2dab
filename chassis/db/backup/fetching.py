"""Finds a backup by name, file or URL, and unpacks it to a local file."""

from contextlib import nullcontext
from pathlib import Path

from chassis.db.backup.dumps import ENDING
from chassis.db.backup.model import BackupError, Report
from chassis.db.backup.places import place_of
from chassis.db.backup.retention import listing
from chassis.db.backup.sink import Sink
from chassis.db.disk import free_bytes_of, make_private
from chassis.db.snapshot.progress import Progress
from chassis.db.snapshot.source import Source, expected_checksum, parse_source
from chassis.db.snapshot.staging import Staging
from chassis.errors import BootError
from chassis.settings import Settings

NEWEST = "latest"
UNLIMITED_BYTES = 2**62


def find(wanted: str, settings: Settings) -> tuple[Source, str | None]:
    """Return where a backup is, and its name if it is in BACKUP_TO.

    `wanted` is a URL, a file, a name in BACKUP_TO, or `latest`.
    """
    if "://" in wanted:
        return parse_source(wanted, "The URL"), None
    place, file = place_of(settings), Path(wanted).resolve()
    if file.is_file():
        return _known(file.as_uri()), file.name if place.url(file.name) == file.as_uri() else None
    there = [backup.name for backup in listing(settings)]
    if wanted == NEWEST and there:
        wanted = there[0]
    if wanted in there:
        return _known(place.url(wanted)), wanted
    have = f"the newest is {there[0]}" if there else "there are none"
    raise BackupError(f"There is no file or backup {wanted} (in {place.shown} {have}); see `flask db backups`.")


def bring(source: Source, path: Path, settings: Settings, report: Report) -> str:
    """Write the database of the backup to `path`, verified against its checksum; return the SHA-256.

    A local file can lack a checksum, which is reported; a file from the network must have one.
    """
    if source.shown.endswith(ENDING):
        name = source.shown.rpartition("/")[2]
        raise BackupError(f"{name} is a dump of PostgreSQL, and DATABASE_URL names a SQLite database.")
    seconds = settings.database_snapshot_timeout_seconds
    with make_private(path).open("r+b") as file:
        staging = Staging(
            file=file,
            shown=source.shown,
            max_bytes=UNLIMITED_BYTES,
            free_bytes=lambda: free_bytes_of(path.parent),
            progress=Progress(report, "fetched"),
        )
        try:
            expected = _expected(source, seconds, report)
            source.read_into(staging, seconds, report)
            return staging.finish(expected)
        except BootError as error:
            raise BackupError(error.message) from None


def bring_dump(source: Source, folder: Path, settings: Settings, report: Report) -> tuple[Path, str]:
    """Return the local path of a dump, fetched to `folder` if needed, and its SHA-256 after verification."""
    path, seconds = source.file or folder / f"fetched{ENDING}", settings.database_snapshot_timeout_seconds
    with nullcontext() if source.file else make_private(path).open("r+b") as file:
        sink = Sink(file, source.shown, lambda: free_bytes_of(folder), Progress(report, "fetched"))
        try:
            expected = _expected(source, seconds, report)
            source.read_into(sink, seconds, report)
        except BootError as error:
            raise BackupError(error.message) from None
    return path, sink.finish(expected)


def _known(url: str) -> Source:
    return parse_source(url, "The place of the backup")


def _expected(source: Source, seconds: float, report: Report) -> str:
    sidecar = source.sidecar.file
    if sidecar and not sidecar.exists():
        report(f"there is no {sidecar.name}: without a checksum only the content is checked")
        return ""
    return expected_checksum(source, seconds, report)
