"""The application with a job that goes by steps, and a route and an event that change something."""

from flask import jsonify, render_template_string

from app import create_app
from chassis import jobs
from chassis.extensions import socketio
from chassis.security.guard import needs

app = create_app()


@jobs.job("steps", own_rows=False)
def steps(context, payload):
    for number in range(1, payload["count"] + 1):
        context.progress(number, payload["count"], f"step {number}")
        context.wait(payload["seconds"])
    if payload.get("fails"):
        raise ValueError("it was told to")


@app.post("/api/things")
def change():
    return jsonify(ok=True)


@app.get("/page")
def page():
    return render_template_string('{% extends "base.html" %}')


@socketio.on("change")
@needs("submit")
def changed():
    return {"ok": True}


@socketio.on("look")
def looked():
    return {"ok": True}
