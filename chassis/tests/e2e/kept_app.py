"""The application with a route that stores something, one that reads it, and one that lists the routes."""

from flask import Blueprint, current_app, jsonify
from sqlalchemy import select

from app import create_app
from chassis.db import db, state
from chassis.db.tables import app_state

SIZE, PREFIX = 100_000, "kept "
blueprint = Blueprint("kept", __name__, url_prefix="/api/kept")


@blueprint.post("/<name>")
def keep(name):
    db.write(lambda conn: state.put(conn, f"{PREFIX}{name}", "x" * SIZE))
    return jsonify(name=name), 202


@blueprint.get("")
def names():
    kept = select(app_state.c.name).where(app_state.c.name.startswith(PREFIX))
    return jsonify(items=[name.removeprefix(PREFIX) for name in db.read(lambda conn: conn.scalars(kept).all())])


@blueprint.get("/routes")
def routes():
    rules = [rule for rule in current_app.url_map.iter_rules() if not rule.arguments]
    return jsonify(items=sorted((method, rule.rule) for rule in rules for method in rule.methods or ()))


app = create_app()
app.register_blueprint(blueprint)
