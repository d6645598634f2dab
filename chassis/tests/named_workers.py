"""What lets tests see which process of an application answers them."""

import os

from flask import Flask, jsonify

from chassis.extensions import socketio


def name_workers(app: Flask) -> Flask:
    """Let each answer carry the number of its process, and the event "worker" return it."""

    @app.after_request
    def name(response):
        response.headers["X-Worker"] = str(os.getpid())
        return response

    @app.get("/api/where")
    def where():
        return jsonify(ok=True)

    socketio.on("worker")(os.getpid)
    return app
