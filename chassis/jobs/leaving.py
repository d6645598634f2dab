"""Handles the jobs of a deleted account: they are cancelled, or handed over to another owner."""

from flask import Flask
from sqlalchemy import Connection

from chassis.jobs import queries, store
from chassis.security.leaving import Departure, Ending, Part
from chassis.wiring import wiring_of


def install(app: Flask) -> None:
    """Register that a person's unfinished jobs end with the account; watchers notify the viewers."""
    wiring_of(app).leaving.append(Part(_find, _end))


def _find(conn: Connection, departure: Departure) -> Ending:
    fate = f"handed over to {departure.heir}" if departure.heir else "cancelled"
    found = queries.unfinished_of(conn, departure.owners)
    return Ending("jobs", fate, [f"{job_id} {kind} {state}" for job_id, kind, state in found])


def _end(conn: Connection, departure: Departure) -> None:
    if departure.heir:
        store.hand_over(conn, departure.owners, departure.heir, departure.at)
    else:
        store.cancel_of(conn, departure.owners, departure.at)
