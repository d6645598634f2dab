"""The matrix application's routes: what it keeps, and events that begin outside of a handler."""

import json
import os
import time

from flask import Blueprint, jsonify

from chassis.base.environment import worker_number
from chassis.extensions import socketio
from chassis.tests.patience import LIMIT_SECONDS
from chassis.tests.server.matrix_kept import held, seen

routes = Blueprint("matrix", __name__)


@routes.get("/present")
def present():
    """Tell how many clients are in the main namespace, and what is kept of all clients."""
    server, manager = socketio.server, socketio.server.manager
    kept = (server.eio.sockets, server.environ, manager.rooms, manager._sids, manager._joined, manager.callbacks)
    pending = (manager.pending_connect, manager.pending_disconnect)
    return jsonify([len(list(manager.get_participants("/", None))), sum(map(len, kept + pending))])


@routes.get("/sessions/<sid>")
def session_of(sid):
    """Tell what the fast transport has begun for a client; null when it has gone."""
    one = socketio.server.eio.sockets.get(sid)
    if one is None:
        return jsonify(None)
    return jsonify(polling=one._poll is not None, posting=one.posting, probing=one.probe is not None)


@routes.get("/kept/<sid>")
def kept(sid):
    """Tell whether anything is kept of a session, under either transport."""
    server = socketio.server
    one = server.eio.sockets.get(sid)
    namespaces = [name for name in server.manager._sids.values() if sid in name]
    return jsonify(bool(namespaces or sid in server.environ or (one is not None and not one.closed)))


@routes.post("/send-away/<sid>")
def send_away(sid):
    """Take a client's right to be here."""
    socketio.server.disconnect(sid, namespace="/")
    return ""


@routes.get("/held")
def holding():
    return jsonify(len(held))


@routes.get("/worker")
def worker():
    """Return this worker's number among several, and its pid."""
    return jsonify([worker_number(), os.getpid()])


@routes.get("/ask/<sid>")
def ask_any(sid):
    """Ask a client of whichever worker."""
    return jsonify(socketio.call("question", "anybody?", to=sid, timeout=LIMIT_SECONDS))


@routes.post("/release")
def release():
    while held:
        held.pop().set()
    return ""


@routes.get("/seen")
def show():
    return json.dumps(seen, default=repr)


@routes.post("/emit")
def emit_from_a_request():
    socketio.emit("heard", "from a request")
    return ""


@routes.post("/background")
def emit_from_the_background():
    def work():
        socketio.sleep(0.1)
        socketio.emit("heard", "from the background")

    socketio.start_background_task(work)
    return ""


@routes.post("/flood/<int:count>")
def flood(count):
    """Send everybody many large events."""
    began = time.monotonic()
    for _ in range(count):
        socketio.emit("flood", "x" * 10_000)
        socketio.sleep(0)
    return jsonify(time.monotonic() - began)
