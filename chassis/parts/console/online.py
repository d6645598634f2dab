"""Who has open sockets in any worker: each worker stores its own people and keys, for the pages of all."""

import os
import socket
import time
from collections import Counter
from typing import Any

from sqlalchemy import Connection, delete, select, update

from chassis.db import clock, db
from chassis.parts.console.tables import online as table
from chassis.realtime import revocation

EVERY_SECONDS = 5.0
AGAIN_SECONDS = 30.0  # an unchanged list is stored again
VALID_SECONDS = 60.0
MOST = 500  # people and keys of a worker
Who = tuple[str, str, str]
"""The kind (`person` or `key`), the id and the name."""


class Online:
    """Stores this worker's list when it changes."""

    def __init__(self) -> None:
        self._worker = worker_name()
        self._stored: Counter[Who] | None = None
        self._at = 0.0

    def store(self) -> None:
        """Store the list if it has changed, or is old; those of workers that are gone are deleted."""
        found, now = here(), time.monotonic()
        if found == self._stored and now - self._at < AGAIN_SECONDS:
            return
        at = clock.now()
        who = [[*one, number] for one, number in found.most_common(MOST)]
        db.write(lambda conn: _put(conn, self._worker, at, who))
        self._stored, self._at = found, now


def worker_name() -> str:
    """Return this process's name in the console's tables: host and pid."""
    return f"{socket.gethostname()[:80]}:{os.getpid()}"


def here() -> Counter[Who]:
    """Return the open sockets of each person and key in this process; visitors are not counted."""
    found: Counter[Who] = Counter()
    for identity, number in revocation.connected().items():
        kind = "person" if identity.session else "key"
        found[(kind, identity.id, identity.name)] += number
    return found


def everywhere() -> list[dict[str, Any]]:
    """Return the people and keys with open sockets in all workers, people first."""
    found = here()
    others = select(table.c.who).where(table.c.worker != worker_name(), table.c.at > clock.now() - VALID_SECONDS)
    for who in db.read(lambda conn: list(conn.execute(others).scalars())):
        for kind, id, name, number in who:
            found[(kind, id, name)] += number
    names = ("kind", "id", "name")
    return [
        dict(zip(names, one, strict=True)) | {"sockets": number}
        for one, number in sorted(found.items(), key=lambda item: (item[0][0] == "key", item[0][2]))
    ]


def _put(conn: Connection, worker: str, at: float, who: list[list[Any]]) -> None:
    values = {"at": at, "who": who}
    if conn.execute(update(table).where(table.c.worker == worker).values(**values)).rowcount == 0:
        conn.execute(table.insert().values(worker=worker, **values))
    conn.execute(delete(table).where(table.c.at < at - VALID_SECONDS))
