"""The matrix application's events that send to rooms, to all, and in the library's other ways."""

from flask import request
from flask_socketio import close_room, emit, join_room, leave_room, rooms, send

from chassis.extensions import socketio
from chassis.tests.patience import LIMIT_SECONDS


@socketio.on("join")
def join(room):
    join_room(room)
    return sorted(rooms())


@socketio.on("leave")
def leave(room):
    leave_room(room)
    return sorted(rooms())


@socketio.on("close")
def close(room):
    close_room(room)


@socketio.on("shout")
def shout(room, text, include_self):
    emit("heard", text, to=room, include_self=include_self)


@socketio.on("everybody")
def everybody(text):
    emit("heard", text, broadcast=True)


@socketio.on("message")
def message(data):
    send(data)


@socketio.on("json")
def json_message(data):
    send({"json": data}, json=True)


@socketio.on("several")
def several(count, way):
    """Send so many byte values, and tell why not."""
    values = [bytes([number]) for number in range(count)]
    if way == "answer":
        return values
    try:
        if way == "emit":
            emit("several", {"values": values})
        elif way == "call":
            socketio.call("question", values, to=request.sid, timeout=LIMIT_SECONDS)
        else:
            socketio.emit("several", tuple(values), namespace="/all")
    except ValueError as error:
        return str(error)
    return "sent"
