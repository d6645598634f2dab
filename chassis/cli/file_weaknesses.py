"""The checks of `flask doctor` for who can read and write the files of the service."""

from collections.abc import Iterator
from pathlib import Path

from pydantic import SecretStr

from chassis.base import environment
from chassis.base.environment import BASE_DIR
from chassis.cli.weakness import Weakness
from chassis.observability.redaction import SECRET_NAMES
from chassis.settings import Settings

BACKUPS = ("*.db.zst", "*.dump.zst", "*.dump")
OTHERS, OTHERS_WRITE, GROUP_WRITE = 0o007, 0o002, 0o020


def secret_files(settings: Settings) -> Iterator[Weakness]:
    """Check the permissions of files with settings."""
    files = [BASE_DIR / ".env", BASE_DIR / ".env.local"]
    files += [Path(path) for name, path in environment.variables().items() if _names_secret_file(name, settings)]
    for path in dict.fromkeys(files):
        mode = _mode(path)
        if mode & (OTHERS | GROUP_WRITE) and not path.is_relative_to("/run/secrets"):  # a container's are always 0444
            yield Weakness(str(path), f"contains secrets, and has the permissions {mode:o}", f"chmod 600 {path}")


def database_file(settings: Settings) -> Iterator[Weakness]:
    """Check the permissions of the database; a closed folder protects its files too."""
    path = settings.sqlite_path
    if path is None or not _mode(path.parent) & OTHERS:
        return
    if _mode(path.parent) & OTHERS_WRITE:
        yield Weakness(str(path.parent), "is writable by every user of this machine", f"chmod o= {path.parent}")
    for file in (path, path.with_name(f"{path.name}-wal")):
        if _mode(file) & OTHERS:
            yield Weakness(str(file), "is readable by every user of this machine", f"chmod o= {file} {path.parent}")


def written_files(settings: Settings) -> Iterator[Weakness]:
    """Check the permissions of logs, backups and replaced databases; closed folders protect them."""
    data, path = settings.data_folder, settings.sqlite_path
    files = [settings.log_path, BASE_DIR / "data/web.log"]
    files += sorted(settings.log_path.parent.glob(f"{settings.log_path.name}.*")) if settings.log_path else []
    files += sorted(data.glob(f"{path.stem}-*.db")) if path else []
    if "://" not in settings.backup_to:
        folder = BASE_DIR / settings.backup_to if settings.backup_to else data / "backups"
        files += sorted(file for ending in BACKUPS for file in folder.glob(ending))
    for file in filter(None, files):
        if _mode(file) & OTHERS and _mode(file.parent) & OTHERS:
            yield Weakness(str(file), "is readable by every user of this machine", f"chmod o= {file}")


def _mode(path: Path) -> int:
    """Return a file's permissions; 0 when it is missing or not accessible."""
    try:
        return path.stat().st_mode & 0o777
    except OSError:
        return 0


def _names_secret_file(name: str, settings: Settings) -> bool:
    """Return whether a variable names a secret's file: by its own name, or because its setting is secret."""
    plain = name.removesuffix("_FILE")
    fields = [type(section).model_fields.get(plain.lower()) for section in (settings, *settings._sections.values())]
    hides = any(field is not None and field.annotation is SecretStr for field in fields)
    return plain != name and (hides or SECRET_NAMES.search(name) is not None)
