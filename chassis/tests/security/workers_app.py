"""An application that says which of its processes answers, and has work that does not end by itself."""

import os

from flask import jsonify

from app import create_app
from chassis import jobs
from chassis.extensions import socketio
from chassis.security.request_rates import limit

app = create_app()


@jobs.job("vigil")
def vigil(context, payload):
    while True:
        context.wait(0.1)


@app.after_request
def name_worker(response):
    response.headers["X-Worker"] = str(os.getpid())
    return response


@app.get("/api/where")
def where():
    return jsonify(ok=True)


@app.post("/api/vigils")
@limit()
def keep():
    return jsonify(id=jobs.enqueue("vigil", {}).id)


@socketio.on("worker")
def worker():
    return os.getpid()


@socketio.on("tell")
def tell(word):
    socketio.emit("told", word)
