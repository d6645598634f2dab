"""Ends the waiting for a PostgreSQL that accepts connections and says nothing, as a stopped process or a dead proxy.

The system acknowledges what such a server is sent, so no time limit of TCP ends the wait.
"""

import contextlib
import os
import socket
import threading
import time
from collections.abc import Iterator

import structlog
from sqlalchemy import Connection, Engine, NullPool, create_engine, text
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from chassis.base.ticker import Ticker
from chassis.db.postgres import connect_options
from chassis.settings import Settings

log = structlog.get_logger(__name__)
LOOK_SECONDS = 1.0
LONG_SECONDS = 5.0  # after which the server of a transaction that still runs is asked whether it is there
ANSWER_SECONDS = 4.0


class HangWatch(Ticker):
    """Breaks the connections of running transactions when a new connection gets no answer either.

    Until the server answers again, `check` refuses at once.
    """

    def __init__(self, settings: Settings) -> None:
        super().__init__("database_hang", LOOK_SECONDS)
        url = settings.database_url.get_secret_value()
        self._engine = create_engine(url, poolclass=NullPool, connect_args=connect_options(url))
        self._running: dict[int, tuple[Connection, float]] = {}
        self._hangs, self._asked = False, 0.0

    @contextlib.contextmanager
    def watched(self, connection: Connection) -> Iterator[None]:
        """Break the connection if the server hangs within."""
        self._running[id(connection)] = connection, time.monotonic()
        try:
            yield
        finally:
            del self._running[id(connection)]

    def check(self) -> None:
        """Raise the error of a server that is away, while it hangs."""
        if self._hangs:
            from psycopg import OperationalError as Away

            raise OperationalError(None, None, Away("the server accepts connections and does not answer"))

    def tick(self) -> None:
        """Check once."""
        if not self._hangs and (not self._long() or time.monotonic() - self._asked < LONG_SECONDS):
            return
        self._asked = time.monotonic()
        hung, self._hangs = self._hangs, not answers(self._engine)
        for connection in self._long() if self._hangs else ():
            cut(connection)
        if self._hangs and not hung:
            log.error("database_hangs", hint="It accepts connections and does not answer; requests get 503 until then.")
        elif hung and not self._hangs:
            log.info("database_answers_again")

    def _long(self) -> list[Connection]:
        before = time.monotonic() - LONG_SECONDS
        return [connection for connection, started in list(self._running.values()) if started < before]


def answers(engine: Engine) -> bool:
    """Return whether a server says anything to a new connection in time, be it a refusal."""
    opened, said = list[Connection](), threading.Event()

    def ask() -> None:
        with contextlib.suppress(SQLAlchemyError), engine.connect() as connection:
            opened.append(connection)
            connection.execute(text("SELECT 1"))
        said.set()

    threading.Thread(target=ask, name="database_question", daemon=True).start()
    if said.wait(ANSWER_SECONDS):
        return True
    for connection in opened:
        cut(connection)
    return False


def cut(connection: Connection) -> None:
    """End a connection from outside, so that the thread that waits for an answer gets an error."""
    with contextlib.suppress(Exception):  # it has ended by itself
        descriptor = os.dup(connection.connection.dbapi_connection.fileno())  # type: ignore[union-attr]
        with socket.socket(fileno=descriptor) as mine:
            mine.shutdown(socket.SHUT_RDWR)
