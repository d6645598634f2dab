"""Joining and leaving rooms, with the checks that features add by `hooks.join_check`."""

from typing import Any

from flask import request
from flask_socketio import join_room, leave_room

from chassis.errors import Conflict
from chassis.security import guard, identity, maintenance
from chassis.security.identity import ADMIN, READ, SUBMIT
from chassis.wiring import current_wiring

__all__ = ["check", "join", "leave"]


def admit(auth: Any) -> None:
    """Find out who connects, by `auth: {key}`, the request's headers or its cookies; raise AppError to refuse."""
    asked: Any = request._get_current_object()  # type: ignore[attr-defined]
    identity.remember(asked.environ, identity.identify(asked.environ, auth), asked.namespace)
    guard.check(READ)
    for check in current_wiring().connect_checks:
        check(auth)


def check_scope(handler: Any) -> None:
    """Raise AppError when the client of this event lacks the scope that the handler needs, or an admin's network, or
    would change something in maintenance."""
    if scope := getattr(handler, guard.NEEDED, ""):
        guard.check_admin(request.remote_addr) if scope == ADMIN else guard.check(scope)
        if scope == SUBMIT:
            maintenance.check()


def check(room: str) -> None:
    """Raise AppError when the client of this event may not be in a room."""
    for check in current_wiring().join_checks:
        check(room)


def enter(room: str) -> None:
    """Put the client of this event into a room that it may be in; raise Conflict when it has gone meanwhile."""
    try:
        join_room(room)
    except ValueError as error:
        raise Conflict(f"The room cannot be joined: {error}.", code="room_refused") from None


def join(room: str) -> None:
    """Let the client of this event into a room; raise AppError when a check refuses it."""
    check(room)
    enter(room)


def leave(room: str) -> None:
    """Let the client of this event out of a room."""
    leave_room(room)
