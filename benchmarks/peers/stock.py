"""Plain Flask-SocketIO, set up as in its documentation: `gunicorn -k eventlet -w 1 stock:app`.

REDIS is the URL of the message queue of several such processes.
"""

import os

from flask import Flask
from flask_socketio import SocketIO, emit

NEWS = "n" * 64
app = Flask(__name__)
socketio = SocketIO(app, message_queue=os.environ.get("REDIS"))


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
