"""The real application with the benchmark's events and route, for `gunicorn -c gunicorn_config.py`."""

from flask_socketio import emit

from app import create_app
from chassis.extensions import socketio

NEWS = "n" * 64
app = create_app()


@socketio.on("echo")
def echo(data):
    emit("echo", data)


@socketio.on("fanout")
def fanout(count):
    for _ in range(count):
        emit("news", NEWS, broadcast=True)


@app.get("/json")
def json():
    return {"status": "ok", "items": [1, 2, 3]}
