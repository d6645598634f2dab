"""What ends of webhooks with an account: those of the owners that leave."""

from sqlalchemy import Connection, Row

from chassis.parts.webhooks import addresses, store
from chassis.security.leaving import Departure, Ending, Part


def _find(conn: Connection, departure: Departure) -> Ending:
    return Ending("webhooks", "removed", [f"to {addresses.shown(hook.url)}" for hook in _hooks(conn, departure)])


def _end(conn: Connection, departure: Departure) -> None:
    for hook in _hooks(conn, departure):
        store.remove(conn, hook.id)


def _hooks(conn: Connection, departure: Departure) -> list[Row[object]]:
    return [hook for owner in sorted(departure.owners) for hook in store.of_owner(conn, owner)]


PART = Part(_find, _end, plantable=True)
