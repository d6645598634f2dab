"""The application with a slow route, one that blocks the hub, and a disconnect handler that takes its time."""

import os
import signal
import time
from pathlib import Path

from flask import jsonify, render_template_string, request

from app import create_app
from chassis.base.concurrency import current_mode
from chassis.extensions import socketio

app = create_app()
LEAVING_SECONDS = float(os.environ.get("LEAVING_SECONDS", "0"))


def block(seconds: float) -> None:
    """Sleep for real."""
    if current_mode() == "eventlet":
        from eventlet import patcher

        patcher.original("time").sleep(seconds)
    elif current_mode() == "gevent":
        from gevent import monkey

        monkey.get_original("time", "sleep")(seconds)
    else:
        time.sleep(seconds)


def told_to_end() -> list[bool]:
    """Return a list that is empty until this worker gets SIGTERM."""
    told, usual = [], signal.getsignal(signal.SIGTERM)
    signal.signal(signal.SIGTERM, lambda *arguments: (usual(*arguments), told.append(True)))
    return told


@app.get("/slow")
def slow():
    time.sleep(float(request.args["seconds"]))
    return jsonify(pid=os.getpid())


@app.get("/slow-until-sigterm")
def slow_until_sigterm():
    """Say that a request is under way, and answer when the worker is told to end."""
    told = told_to_end()
    os.write(2, b"a request is under way\n")
    while not told:
        time.sleep(0.01)
    return jsonify(pid=os.getpid())


@app.get("/block")
def blocked():
    block(float(request.args["seconds"]))
    return jsonify(pid=os.getpid())


@app.get("/block-until")
def blocked_until():
    """Block until a file is there."""
    while not Path(request.args["file"]).exists():
        block(0.01)
    return jsonify(pid=os.getpid())


@app.get("/block-until-sigterm")
def blocked_until_sigterm():
    """Say that the hub is held up, and block until the worker is told to end."""
    told = told_to_end()
    os.write(2, b"the hub is held up\n")
    while not told:
        block(0.01)
    return jsonify(pid=os.getpid())


@socketio.on("disconnect")
def leave(reason):
    time.sleep(LEAVING_SECONDS)
    app.logger.warning("left after a while: %s", reason)


@socketio.on("pid")
def pid():
    return os.getpid()


@app.get("/page")
def page():
    return render_template_string("{% extends 'live.html' %}")
