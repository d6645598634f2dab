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

log = structlog.get_logger(__name__)
LOOK_SECONDS = 1.0
LONG_SECONDS = 5.0  # after which the server of a transaction that still runs is asked whether it is there
ANSWER_SECONDS = 4.0


class HangWatch(Ticker):
    """Breaks the connections of running transactions when a new connection gets no answer either.

    Until the server answers again, `check` refuses at once. `name` begins the lines in the log, `hint` ends them.
    """

    def __init__(self, url: str, name: str, hint: str) -> None:
        super().__init__(f"{name}_hang", LOOK_SECONDS)
        self._server, self._hint = name, hint
        self._engine = create_engine(url, poolclass=NullPool, connect_args=connect_options(url))
        self._running: dict[int, tuple[Connection, float]] = {}
        self._asked, self.hangs = 0.0, False

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
        if self.hangs:
            from psycopg import OperationalError as Away

            raise OperationalError(None, None, Away("the server accepts connections and does not answer"))

    def tick(self) -> None:
        """Check once."""
        if not self.hangs and (not self._long() or time.monotonic() - self._asked < LONG_SECONDS):
            return
        self._asked = time.monotonic()
        hung, self.hangs = self.hangs, not answers(self._engine)
        for connection in self._long() if self.hangs else ():
            cut(connection)
        if self.hangs and not hung:
            log.error(
                f"{self._server}_hangs", hint=f"It accepts connections and does not answer; {self._hint} until then."
            )
        elif hung and not self.hangs:
            log.info(f"{self._server}_answers_again")

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
