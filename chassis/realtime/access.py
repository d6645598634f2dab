"""Joining and leaving rooms, with the checks that features add by `hooks.join_check`."""

from typing import Any

from flask import request
from flask_socketio import join_room, leave_room

from chassis.errors import Conflict
from chassis.extensions import socketio
from chassis.security import guard, identity, maintenance
from chassis.security.identity import ADMIN, READ, SUBMIT
from chassis.wiring import current_wiring

__all__ = ["check", "join", "leave", "watched"]


def admit(auth: Any) -> None:
    """Identify a connecting client by `auth: {key}`, its headers or its cookies; raise AppError to refuse it."""
    asked: Any = request._get_current_object()  # type: ignore[attr-defined]
    identity.remember(asked.environ, identity.identify(asked.environ, auth), asked.namespace)
    guard.check(READ)
    for check in current_wiring().connect_checks:
        check(auth)


def check_scope(handler: Any) -> None:
    """Raise AppError when the current client may not call the handler.

    The reasons are a missing scope, an admin scope from outside of ADMIN_ALLOW, or a change in maintenance mode.
    """
    if scope := getattr(handler, guard.NEEDED, ""):
        guard.check_admin(request.remote_addr) if scope == ADMIN else guard.check(scope)
        if scope == SUBMIT:
            maintenance.check()


def check(room: str) -> None:
    """Raise AppError when the current client may not be in a room."""
    for check in current_wiring().join_checks:
        check(room)


def enter(room: str) -> None:
    """Put the current client into a room without checks; raise Conflict when it has disconnected."""
    try:
        join_room(room)
    except ValueError as error:
        raise Conflict(f"The room cannot be joined: {error}.", code="room_refused") from None


def join(room: str) -> None:
    """Let the client of this event into a room; raise AppError when a check refuses it."""
    check(room)
    enter(room)


def leave(room: str) -> None:
    """Remove the current client from a room."""
    leave_room(room)


def watched(room: str) -> bool:
    """Return whether a client of this process is in a room."""
    return next(iter(socketio.server.manager.get_participants("/", room)), None) is not None
