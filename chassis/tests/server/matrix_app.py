"""An application that uses all of Flask-SocketIO's programming model; the matrix drives it under every transport."""

import json
import os
import threading
import time

from flask import current_app, g, jsonify, request, session
from flask_socketio import (
    ConnectionRefusedError,
    Namespace,
    close_room,
    disconnect,
    emit,
    join_room,
    leave_room,
    rooms,
    send,
)

from app import create_app
from chassis.base.environment import worker_number
from chassis.extensions import socketio
from chassis.tests.patience import LIMIT_SECONDS

app = create_app()
seen: list = []
held: list[threading.Event] = []


def hold():
    """Wait for the test to let it go on."""
    held.append(gate := threading.Event())
    gate.wait()


@socketio.on("connect")
def connect(auth):
    if auth == {"please": "refuse"}:
        return False
    if auth == {"please": "raise"}:
        raise ConnectionRefusedError("not today", {"retry": 5})
    if auth == {"please": "wait"}:
        hold()
    if auth == {"please": "break"}:
        raise ValueError("on purpose")
    session["connected_at"] = "connect"
    emit("early", {"auth": auth})
    emit("early", {"callback": False})
    return None


@socketio.on("disconnect")
def left(reason):
    seen.append(["disconnect", request.sid, reason])


@socketio.on("echo")
def echo(*args):
    emit("echo", args)
    return args


@socketio.on("whoami")
def whoami():
    fresh = "mark" not in g and not hasattr(request, "mark")
    g.mark = request.mark = 1
    return {
        "sid": request.sid,
        "namespace": request.namespace,
        "event": request.event["message"],
        "agent": request.headers.get("User-Agent"),
        "custom": request.headers.get("X-Custom"),
        "query": request.args.get("room"),
        "remote": request.remote_addr,
        "path": request.path,
        "app": current_app.name,
        "fresh": fresh,
        "endpoint": request.endpoint,
    }


@socketio.on("session")
def remember(key, value):
    before = session.get(key)
    session[key] = value
    return [before, session.get("connected_at")]


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


@socketio.on("ask")
def ask(question):
    """Ask the client within a handler, and answer with what it said."""
    return {"answer": socketio.call("question", question, to=request.sid, timeout=LIMIT_SECONDS)}


@socketio.on("with callback")
def with_callback():
    sid = request.sid
    emit("question", "callback", callback=lambda *answer: seen.append(["callback", sid, list(answer), request.sid]))


@socketio.on("slow")
def slow(seconds, number):
    socketio.sleep(seconds)
    emit("done", number)
    return number


@socketio.on("hold")
def held_up(number):
    hold()
    emit("done", number)


@socketio.on("fails")
def fails():
    raise ValueError("on purpose")


@socketio.on("fails", namespace="/handled")
def fails_handled():
    raise ValueError("on purpose")


@socketio.on("connect", namespace="/handled")
def no_arguments():
    return None


@socketio.on_error("/handled")
def handle(error):
    return ["handled", str(error)]


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


@socketio.on("unsendable")
def unsendable():
    return object()


@socketio.on("go away")
def go_away():
    disconnect()


@socketio.on("*", namespace="/all")
def catch_all(event, *args):
    return ["caught", event, *args]


class Classy(Namespace):
    def on_connect(self):
        seen.append(["classy", request.sid])

    def on_add(self, one, other):
        return one + other


socketio.on_namespace(Classy("/classy"))


@app.get("/present")
def present():
    """Tell how many clients are in the main namespace, and what is kept of all clients."""
    server, manager = socketio.server, socketio.server.manager
    kept = (server.eio.sockets, server.environ, manager.rooms, manager._sids, manager._joined, manager.callbacks)
    pending = (manager.pending_connect, manager.pending_disconnect)
    return jsonify([len(list(manager.get_participants("/", None))), sum(map(len, kept + pending))])


@app.get("/sessions/<sid>")
def session_of(sid):
    """Tell what the fast transport has begun for a client; null when it has gone."""
    one = socketio.server.eio.sockets.get(sid)
    if one is None:
        return jsonify(None)
    return jsonify(polling=one._poll is not None, posting=one.posting, probing=one.probe is not None)


@app.get("/kept/<sid>")
def kept(sid):
    """Tell whether anything is kept of a session, under either transport."""
    server = socketio.server
    one = server.eio.sockets.get(sid)
    namespaces = [name for name in server.manager._sids.values() if sid in name]
    return jsonify(bool(namespaces or sid in server.environ or (one is not None and not one.closed)))


@app.post("/send-away/<sid>")
def send_away(sid):
    """Take a client's right to be here."""
    socketio.server.disconnect(sid, namespace="/")
    return ""


@app.get("/held")
def holding():
    return jsonify(len(held))


@app.get("/worker")
def worker():
    """Return this worker's number among several, and its pid."""
    return jsonify([worker_number(), os.getpid()])


@app.get("/ask/<sid>")
def ask_any(sid):
    """Ask a client of whichever worker."""
    return jsonify(socketio.call("question", "anybody?", to=sid, timeout=LIMIT_SECONDS))


@app.post("/release")
def release():
    while held:
        held.pop().set()
    return ""


@app.get("/seen")
def show():
    return json.dumps(seen, default=repr)


@app.post("/emit")
def emit_from_a_request():
    socketio.emit("heard", "from a request")
    return ""


@app.post("/background")
def emit_from_the_background():
    def work():
        socketio.sleep(0.1)
        socketio.emit("heard", "from the background")

    socketio.start_background_task(work)
    return ""


@app.post("/flood/<int:count>")
def flood(count):
    """Send everybody many large events."""
    began = time.monotonic()
    for _ in range(count):
        socketio.emit("flood", "x" * 10_000)
        socketio.sleep(0)
    return jsonify(time.monotonic() - began)
