"""What ends with an account: its sessions, the links that it created, and the links for it."""

from sqlalchemy import Connection, Row

from chassis.parts.accounts import store
from chassis.security.leaving import Departure, Ending, Part


def _find_sessions(conn: Connection, departure: Departure) -> Ending:
    user = store.user_by_email(conn, departure.email)
    sessions = store.sessions_of(conn, user.id) if user else []
    return Ending("sessions", "ended with their sockets", [f"from {session.address}" for session in sessions])


def _end_sessions(conn: Connection, departure: Departure) -> None:
    if user := store.user_by_email(conn, departure.email):
        store.end_sessions(conn, user.id)


def _find_links(conn: Connection, departure: Departure) -> Ending:
    names = [f"{link.purpose} for {link.email}" for link in _links(conn, departure)]
    return Ending("links", "no longer valid", names)


def _end_links(conn: Connection, departure: Departure) -> None:
    store.delete_links(conn, [link.hash for link in _links(conn, departure)])


def _links(conn: Connection, departure: Departure) -> list[Row[object]]:
    return store.links_left_by(conn, departure.owners, departure.email, departure.at)


PARTS = (Part(_find_sessions, _end_sessions), Part(_find_links, _end_links))
