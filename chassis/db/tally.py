"""Numbers that each process tells the others, such as its calls in flight, by names."""

import secrets
import time
from collections import Counter
from collections.abc import Mapping

from sqlalchemy import Connection, delete, select

from chassis.db import state
from chassis.db.database import Database
from chassis.db.tables import app_state

LOST_SECONDS = 10.0  # a process that told nothing for so long has ended
MAX_NAME = 32


class Tally:
    """The numbers of this process, and the sums of those of the others; call `exchange` about once a second."""

    def __init__(self, name: str) -> None:
        if len(name) > MAX_NAME:
            raise ValueError(f"at most {MAX_NAME} characters")
        self._all = f"tally:{name}:"
        self._own = self._all + secrets.token_hex(8)
        self._told: dict[str, int] = {}

    def exchange(self, database: Database, numbers: Mapping[str, int]) -> Counter[str]:
        """Store this process' numbers, and return the sums of the others'.

        What is 0, or left out, is forgotten. Numbers of processes that have ended count for ten seconds more.
        """
        told, now = {name: number for name, number in numbers.items() if number}, time.time()
        if told or self._told:
            database.write(lambda conn: self._store(conn, told, now))
        self._told = told
        rows = database.read(lambda conn: self._others(conn, now - LOST_SECONDS))
        return sum(map(Counter, rows), Counter[str]())

    def _store(self, conn: Connection, told: dict[str, int], now: float) -> None:
        lost = app_state.c.changed_at < now - LOST_SECONDS
        conn.execute(delete(app_state).where(app_state.c.name.startswith(self._all, autoescape=True), lost))
        if told:
            state.put(conn, self._own, told)
        else:
            conn.execute(delete(app_state).where(app_state.c.name == self._own))

    def _others(self, conn: Connection, since: float) -> list[dict[str, int]]:
        theirs = app_state.c.name.startswith(self._all, autoescape=True) & (app_state.c.name != self._own)
        return list(conn.execute(select(app_state.c.value).where(theirs, app_state.c.changed_at >= since)).scalars())
