"""An application whose requests, events and jobs fail, ask the outside API or compute, and what is told of it."""

import time
from pathlib import Path

from flask import jsonify, request

from app import create_app
from chassis import jobs
from chassis.db import db, state
from chassis.extensions import socketio
from chassis.security.guard import public
from chassis.tests.patience import LIMIT_SECONDS
from chassis.upstream import upstream

app = create_app()


@app.get("/api/fail")
@public
def fail():
    raise LookupError(f"no such thing, asked with Bearer {request.args['token']} by postgres://me:{'hush' * 3}@host/")


@app.get("/api/ask")
@public
def ask():
    db.read(lambda conn: state.get(conn, "nothing"))
    return jsonify(answer=upstream.complete("one").text)


@app.get("/api/work")
@public
def work():
    return jsonify(id=jobs.enqueue("telemetry.fail", {}).id, asks=jobs.enqueue("telemetry.ask", {}).id)


@app.get("/burn")
@public
def burn():
    return str(burning(Path(request.args["until"])))


def burning(until):
    """Compute until the file is there."""
    turns, end = 0, time.monotonic() + 2 * LIMIT_SECONDS
    while turns % 10_000 or not (until.exists() or time.monotonic() > end):
        turns += 1
    return turns


@jobs.job("telemetry.fail")
def failing(context, payload):
    raise RuntimeError("the job broke")


@jobs.job("telemetry.ask")
def asking(context, payload):
    upstream.complete("two")


@socketio.on("fail")
def fail_event():
    raise KeyError("the event broke")


@socketio.on("ask")
def ask_event():
    return {"ok": True, "answer": upstream.complete("three").text}


@socketio.on("refuse")
def refuse_event():
    return {"ok": False, "error": {"code": "no_more", "message": "No."}}
