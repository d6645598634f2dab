"""An application whose answers name the process, and that calls the outside API at once."""

from flask import jsonify

from app import create_app
from chassis.security.request_rates import limit
from chassis.tests.named_workers import name_workers
from chassis.upstream import upstream

app = name_workers(create_app())


@app.get("/api/ask/<prompt>")
@limit()
def ask(prompt):
    return jsonify(text=upstream.complete(prompt).text)


@app.get("/api/calls")
@limit()
def calls():
    return jsonify(upstream.state())
