"""An application whose answers name the process, and that calls the outside API at once."""

import os

from flask import jsonify

from app import create_app
from chassis.extensions import socketio
from chassis.security.request_rates import limit
from chassis.upstream import upstream

app = create_app()


@app.after_request
def name_worker(response):
    response.headers["X-Worker"] = str(os.getpid())
    return response


@app.get("/api/where")
def where():
    return jsonify(ok=True)


@app.get("/api/ask/<prompt>")
@limit()
def ask(prompt):
    return jsonify(text=upstream.complete(prompt).text)


@app.get("/api/calls")
@limit()
def calls():
    return jsonify(upstream.state())


@socketio.on("worker")
def worker():
    return os.getpid()
