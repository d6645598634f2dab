"""Lets one process at a time boot on a database."""

import contextlib
import fcntl
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

from sqlalchemy import Connection, create_engine, text
from sqlalchemy.exc import SQLAlchemyError

from chassis.db.faults import reason_of
from chassis.db.postgres import connect_options
from chassis.errors import BootError
from chassis.settings import Settings

ADVISORY_LOCK = 7_355_608  # any number that all our processes share


@contextlib.contextmanager
def only_one(settings: Settings, on_wait: Callable[[], None]) -> Iterator[None]:
    """Hold the boot lock: a locked file beside a SQLite database, otherwise an advisory lock of PostgreSQL.

    The kernel or the server releases it when its holder dies.
    """
    path = settings.sqlite_path
    with _server_lock(settings, on_wait) if path is None else _beside(path, on_wait):
        yield


@contextlib.contextmanager
def file_lock(file: IO[str], on_wait: Callable[[], None]) -> Iterator[None]:
    """Hold the lock of an open file, and close it at the end; call `on_wait` if another process holds it."""
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            on_wait()
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _beside(path: Path, on_wait: Callable[[], None]) -> contextlib.AbstractContextManager[None]:
    path = path.with_name(f"{path.name}.lock")
    try:
        return file_lock(path.open("w"), on_wait)
    except OSError as error:
        raise BootError(f"The file {path} cannot be created ({error.strerror}): make its folder writable.") from None


def take_advisory_lock(connection: Connection, number: int, on_wait: Callable[[], None]) -> None:
    """Take an advisory lock that lasts as long as the connection; call `on_wait` if another process holds it."""
    _take(connection, "pg_try_advisory_lock", "pg_advisory_lock", number, on_wait)


def _take(connection: Connection, attempt: str, wait: str, number: int, on_wait: Callable[[], None]) -> None:
    if not connection.execute(text(f"SELECT {attempt}({number})")).scalar():
        on_wait()
        connection.execute(text(f"SELECT {wait}({number})"))


@contextlib.contextmanager
def _server_lock(settings: Settings, on_wait: Callable[[], None]) -> Iterator[None]:
    url = settings.database_url.get_secret_value()
    engine = create_engine(url, connect_args=connect_options(url))
    try:
        connection = engine.connect()
    except SQLAlchemyError as error:
        sentence = f"The database server cannot be used ({reason_of(error)}): check DATABASE_URL and the server."
        raise BootError(sentence) from None
    with connection, connection.begin():  # the lock ends with the transaction, even if a pooler keeps the connection
        _take(connection, "pg_try_advisory_xact_lock", "pg_advisory_xact_lock", ADVISORY_LOCK, on_wait)
        yield
    engine.dispose()
