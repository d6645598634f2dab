"""The database, and the snapshot that it starts from."""

import sqlite3
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr

from chassis.base import database_url
from chassis.base.environment import BASE_DIR
from chassis.settings import packages, urls
from chassis.settings.section import Problem, Section

if TYPE_CHECKING:
    from chassis.settings.core import Settings

LEAST_SQLITE = (3, 35)  # the first with RETURNING


def _normal(value: SecretStr) -> SecretStr:
    return SecretStr(database_url.normal(value.get_secret_value()))


class DatabaseSettings(Section):
    """Database"""

    database_url: Annotated[SecretStr, AfterValidator(_normal)] = Field(
        SecretStr("sqlite:///data/app.db"),
        description="SQLite (`sqlite:///file.db`, from the project's folder; `?timeout=30` makes writers wait up to "
        "30 s) or `postgresql://user:pw@host/db`.",
    )
    database_pool_size: int = Field(
        10, ge=1, le=1_000, description="PostgreSQL: connections that a process keeps open once it has used them."
    )
    database_max_overflow: int = Field(
        20, ge=0, le=1_000, description="PostgreSQL: further connections of a process while all of those are in use."
    )
    database_pool_timeout_seconds: float = Field(
        5, gt=0, le=300, description="PostgreSQL: a wait for a free connection that takes longer is answered with 503."
    )
    database_read_url: Annotated[SecretStr, AfterValidator(_normal)] = Field(
        SecretStr(""),
        description="A replica of PostgreSQL for lists, which then may be behind by its lag; without an answer of it, "
        "`DATABASE_URL` is read.",
    )
    database_prepared_statements: bool = Field(
        True, description="PostgreSQL: turn off behind a pooler in transaction mode, such as pgbouncer."
    )
    database_slow_query_seconds: float = Field(0.5, gt=0, description="A statement that takes longer is logged.")
    database_snapshot_url: SecretStr = Field(
        SecretStr(""),
        description="A SQLite database to start from: an http(s), file or s3 URL; `.zst` and `.gz` are accepted.",
    )
    database_snapshot_sha256: Annotated[str, BeforeValidator(lambda v: str(v).lower())] = Field(
        "",
        pattern=r"^([0-9a-f]{64})?$",
        description="SHA-256 of the file at that URL; by default read from `URL.sha256`.",
    )
    database_snapshot_policy: Literal["if-missing", "refresh", "off"] = Field(
        "if-missing",
        description="`if-missing` fetches only if there is no database; `refresh` also fetches a changed snapshot, "
        "and keeps the old file; `off` never fetches.",
    )
    database_snapshot_max_bytes: int = Field(
        10_000_000_000, ge=1, description="Maximum size of a snapshot, before and after decompression."
    )
    database_snapshot_timeout_seconds: float = Field(
        20, gt=0, description="The download fails after this long without progress."
    )

    @property
    def sqlite_path(self) -> Path | None:
        """Return the database file, or None when the database is not a file of SQLite."""
        path = database_url.file_of(self.database_url.get_secret_value())
        return None if path is None else BASE_DIR / path

    @property
    def data_folder(self) -> Path:
        """Return the folder for files of the running service: that of the SQLite database, otherwise `data`."""
        return self.sqlite_path.parent if self.sqlite_path else BASE_DIR / "data"

    def problems(self) -> Iterable[Problem]:
        """Yield malformed URLs and unusable snapshots."""
        if problem := database_url.problem(self.database_url.get_secret_value()):
            yield "DATABASE_URL", problem
        if self.sqlite_path is None:
            yield from packages.needed("DATABASE_URL", "psycopg", "binary")
        elif sqlite3.sqlite_version_info < LEAST_SQLITE:
            yield "DATABASE_URL", f"needs SQLite 3.35 or later, and this Python has {sqlite3.sqlite_version}"
        replica = self.database_read_url.get_secret_value()
        if replica and (self.sqlite_path is not None or not replica.startswith(database_url.POSTGRES)):
            yield "DATABASE_READ_URL", "is for PostgreSQL only, and needs a postgresql:// DATABASE_URL too"
        if snapshot := self.database_snapshot_url.get_secret_value():
            yield from self._snapshot_problems(snapshot)

    def _snapshot_problems(self, snapshot: str) -> Iterable[Problem]:
        scheme = urls.parts(snapshot).scheme
        if scheme not in ("http", "https", "file", "s3"):
            yield "DATABASE_SNAPSHOT_URL", "must start with https://, http://, s3:// or file://"
        if self.sqlite_path is None:
            yield "DATABASE_SNAPSHOT_URL", "is for SQLite only: unset it, or use a sqlite:/// DATABASE_URL"
        if snapshot.startswith("s3://"):
            yield from packages.needed("DATABASE_SNAPSHOT_URL", "boto3")

    def problems_with(self, settings: "Settings") -> Iterable[Problem]:
        """Yield what is not allowed in production."""
        snapshot = urls.parts(self.database_snapshot_url.get_secret_value())
        unproven = snapshot.scheme == "http" and not self.database_snapshot_sha256
        if settings.production and unproven and snapshot.hostname != "127.0.0.1":
            yield "DATABASE_SNAPSHOT_SHA256", "is needed in production when the snapshot comes over plain http"
