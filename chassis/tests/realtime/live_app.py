"""An application with rooms, presence and handlers that fail in every way; the tests drive it in a real server."""

import os
import signal
import threading
import time

from flask import jsonify, render_template, request, session
from flask_socketio import Namespace, emit
from pydantic import BaseModel, Field

from app import create_app
from chassis.errors import Conflict, Forbidden, Unavailable
from chassis.extensions import socketio
from chassis.realtime import presence, recovery
from chassis.realtime.event_rates import limit
from chassis.realtime.publisher import publish
from chassis.realtime.recovery import Resumable
from chassis.wiring import wiring_of

app = create_app()


class Room(Resumable):
    name: str = Field(max_length=40)


class Order(BaseModel):
    count: int = Field(gt=0)


@socketio.on("room:join")
def join(message: Room):
    return {"ok": True, "stream": recovery.join(message.name, message.after)}


@socketio.on("room:shaky")
def join_in_vain(message: Room):
    """Let a client in and send an event, and fail then, unless it knows the state and all events."""
    stream = recovery.join(message.name, message.after)
    if not stream["recovered"]:
        publish(message.name, "news", {"n": 0})
        raise Unavailable("The state cannot be read.")
    return {"ok": True, "stream": stream}


class Entry(BaseModel):
    room: str
    member: str


@socketio.on("presence:enter")
def enter(message: Entry):
    stream = recovery.join(message.room)
    presence.enter(message.room, message.member)
    return {"ok": True, "members": presence.members(message.room), "stream": stream}


@socketio.on("presence:leave")
def leave(message: Room):
    presence.leave(message.name)


@socketio.on("presence:list")
def members(message: Room):
    return presence.members(message.name)


@socketio.on("order")
def order(message: Order):
    """Answer with one more."""
    return {"count": message.count + 1}


@socketio.on("plain")
def plain(*words):
    return list(words)


@socketio.on("two")
def two(one, other):
    return one + other


@socketio.on("echo")
def echo(value):
    """Answer with an event instead of an acknowledgement."""
    emit("echo", value)


@socketio.on("silent")
def silent():
    """Return nothing."""


@socketio.on("taken")
def taken():
    raise Conflict("It is taken.", code="seat_taken")


@socketio.on("crash")
def crash(what=None):
    raise RuntimeError(f"the inside: {what}")


@socketio.on("unsendable")
def unsendable():
    return {"at": object()}


@socketio.on("runs out")
def runs_out():
    """Raise what both green libraries raise when time is up, which is no Exception."""

    class Timeout(BaseException):
        pass

    raise Timeout


@socketio.on("seldom")
@limit(per_second=2, burst=3)
def seldom():
    return "done"


@socketio.on("often")
@limit(per_second=0)
def often():
    return "done"


@socketio.on("remember")
def remember(value):
    before, session["value"] = session.get("value"), value
    return before


@socketio.on("ping", namespace="/other")
def other():
    return "pong"


socketio.on("join", namespace="/other")(join)


class Quiet(Namespace):
    """A namespace with neither a connect nor a disconnect handler."""

    def on_order(self, message: Order):
        return {"count": message.count + 1}


socketio.on_namespace(Quiet("/quiet"))


def no_strangers(auth):
    if auth == {"who": "stranger"}:
        raise Forbidden("Strangers stay outside.", code="stranger")


def no_secrets(room):
    if room.startswith("secret"):
        raise Forbidden("That room is not for you.")


wiring_of(app).connect_checks.append(no_strangers)
wiring_of(app).join_checks.append(no_secrets)


@app.get("/page")
def page():
    """Show a page with the connection and its scripts."""
    return render_template("live.html")


@app.post("/publish/<room>/<int:count>")
def publish_some(room, count):
    """Publish events that are numbered by the publisher too."""
    first = request.get_json().get("first", 0)
    for n in range(first, first + count):
        publish(room, "news", {"n": n})
    return jsonify(True)


@app.post("/publish-and-die/<room>")
def publish_and_die(room):
    """End before anything leaves this process."""
    publish(room, "news", {"n": 0})
    os.kill(os.getpid(), signal.SIGKILL)


@app.post("/stream/<room>/<int:publishers>/<float:seconds>")
def publish_for_a_while(room, publishers, seconds):
    """Publish from several threads at once, as fast as they can with a little rest; return how many."""
    sent = [0] * publishers
    until = time.monotonic() + seconds

    def work(who):
        while time.monotonic() < until:
            publish(room, "news", {"who": who, "n": sent[who]})
            sent[who] += 1
            time.sleep(0.002)

    threads = [threading.Thread(target=work, args=(who,)) for who in range(publishers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return jsonify(sent)
