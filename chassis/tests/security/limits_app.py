"""An application that says where it thinks a request comes from, and has a route with a limit of its own."""

from flask import jsonify, request, url_for

from app import create_app
from chassis.extensions import socketio
from chassis.security.guard import public
from chassis.security.request_rates import limit

app = create_app()


@app.get("/api/where")
def where():
    seen = [name for name, _ in request.headers if "forwarded" in name.lower() or name == "X-Real-Ip"]
    here = {"remote": request.remote_addr, "secure": request.is_secure, "url": url_for("where", _external=True)}
    return jsonify(here | {"headers": seen, "script_name": request.script_root})


@app.get("/public")
@public
def anybody():
    return "for all"


@app.get("/api/dear")
@limit("2 per hour")
def dear():
    return jsonify(ok=True)


@app.get("/api/free")
@limit()
def free():
    return jsonify(ok=True)


@socketio.on("echo")
def echo(value):
    return value
