"""The matrix application's events: connections, answers, the session, and handlers that wait or fail."""

from flask import current_app, g, request, session
from flask_socketio import ConnectionRefusedError, Namespace, disconnect, emit

from chassis.extensions import socketio
from chassis.tests.patience import LIMIT_SECONDS
from chassis.tests.server.matrix_kept import hold, seen


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
