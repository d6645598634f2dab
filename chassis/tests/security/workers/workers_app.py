"""An application that says which of its processes answers, and has work that does not end by itself."""

from flask import jsonify

from app import create_app
from chassis import jobs
from chassis.extensions import socketio
from chassis.security.request_rates import limit
from chassis.tests.named_workers import name_workers

app = name_workers(create_app())


@jobs.job("vigil")
def vigil(context, payload):
    while True:
        context.wait(0.1)


@app.post("/api/vigils")
@limit()
def keep():
    return jsonify(id=jobs.enqueue("vigil", {}).id)


@socketio.on("tell")
def tell(word):
    socketio.emit("told", word)
