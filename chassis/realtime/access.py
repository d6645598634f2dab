"""Who may connect and who may join a room: checks that features add, asked in one place each."""

from collections.abc import Callable
from typing import Any

from flask import Flask, current_app, request
from flask_socketio import join_room, leave_room

from chassis.errors import Conflict
from chassis.security import guard, identity, maintenance
from chassis.security.identity import ADMIN, READ, SUBMIT

CONNECT, JOIN = "connect_checks", "join_checks"
ConnectCheck = Callable[[Any], None]
JoinCheck = Callable[[str], None]


def check_connect(app: Flask, check: ConnectCheck) -> None:
    """Add a check of every connection: called with what the client sent as `auth`, raises AppError to refuse it."""
    app.extensions.setdefault(CONNECT, []).append(check)


def check_join(app: Flask, check: JoinCheck) -> None:
    """Add a check of every join: called with the room's name, raises AppError to refuse it."""
    app.extensions.setdefault(JOIN, []).append(check)


def admit(auth: Any) -> None:
    """Find out who connects, by `auth: {key}`, the request's headers or its cookies; raise AppError to refuse."""
    asked: Any = request._get_current_object()  # type: ignore[attr-defined]
    identity.remember(asked.environ, identity.identify(asked.environ, auth), asked.namespace)
    guard.check(READ)
    for check in current_app.extensions.get(CONNECT, ()):
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
    for check in current_app.extensions.get(JOIN, ()):
        check(room)


def enter(room: str) -> None:
    """Put the client of this event into a room that it may be in; raise Conflict when it has gone meanwhile."""
    try:
        join_room(room)
    except ValueError as error:
        raise Conflict(f"The room cannot be joined: {error}.", code="room_refused") from None


def join(room: str) -> None:
    """Let the client of this event into a room; raise AppError when it may not."""
    check(room)
    enter(room)


def leave(room: str) -> None:
    """Let the client of this event out of a room."""
    leave_room(room)
