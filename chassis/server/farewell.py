"""Runs the disconnect handlers of closed connections."""

from collections.abc import Callable

from chassis.server.connection import Connection
from chassis.server.pool import WorkPool

LEFT_TO_HANDLERS_SECONDS = 0.5


class Farewell:
    """Lets the packets that a client sent before its end be handled first; `under_way` counts the farewells.

    A slow handler delays a farewell by at most half a second; packets that have not begun by then are discarded. Only a
    connect handler is always waited for: until it returns, it is not known whether there is a client to disconnect.
    """

    def __init__(self, pool: WorkPool, run_handlers: Callable[[str, str], None]) -> None:
        self._pool, self._run_handlers = pool, run_handlers
        self.under_way = 0

    def say(self, connection: Connection, reason: str) -> None:
        """Run the disconnect handlers once."""
        done = False
        self.under_way += 1

        def finish() -> None:
            nonlocal done
            if not done:
                done = True
                connection.lane.clear()
                try:
                    self._run_handlers(connection.sid, reason)
                finally:
                    self.under_way -= 1

        def finish_unless_connecting() -> None:
            if not connection.held:
                finish()

        if connection.lane.busy:
            connection.lane.add_last(finish)
            self._pool.run_later(LEFT_TO_HANDLERS_SECONDS, finish_unless_connecting)
        else:
            self._pool.run(finish)
