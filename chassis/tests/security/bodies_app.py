"""The application with a route that takes bodies in every way: JSON, a form with lines, a form with a file."""

import itertools
import time

from flask import Blueprint, Response, jsonify, request
from pydantic import BaseModel, Field

from app import create_app
from chassis.errors import BadRequest, UnsupportedMediaType
from chassis.security import bodies, uploads
from chassis.web.body import Text, form_body, json_body, uploaded_file

TEXTS = ("text/csv", "text/tab-separated-values", "text/plain")
PIECE, PIECE_CPU_SECONDS = "x" * 16_000, 0.005
NUMBERS, KEPT = itertools.count(1), dict[str, object]()
blueprint = Blueprint("bodies", __name__, url_prefix="/api/bodies")


class Named(BaseModel):
    prompt: Text = Field(min_length=1)


class Rows(Named):
    rows: list[dict[Text, Text]] = Field(min_length=1)


class Again(BaseModel):
    failed: bool = False


@blueprint.post("")
@bodies.takes({bodies.JSON: "max_json_bytes", bodies.FILES: "max_upload_bytes", bodies.FORM: 500_000})
def take():
    if request.is_json:
        return kept(json_body(Rows).rows)
    if request.mimetype not in bodies.FORMS:
        raise UnsupportedMediaType("Send JSON with rows, or a form with file or lines.")
    form_body(Named)
    if file := uploaded_file("file"):
        return kept(uploads.read(file, TEXTS).decode())
    if "lines" not in request.form:
        raise BadRequest("Send JSON with rows, or a form with file or lines.", code="no_rows")
    return kept(request.form["lines"])


def kept(what: object):
    name = str(next(NUMBERS))
    KEPT[name] = what
    return jsonify(id=name), 202


@blueprint.get("")
def listing():
    return jsonify(items=list(KEPT))


@blueprint.get("/long/<int:pieces>")
def long(pieces):
    return Response((PIECE for _ in range(pieces)), content_type="text/plain")


@blueprint.get("/costly/<int:pieces>")
def costly(pieces):
    def work():
        for _ in range(pieces):
            began = time.thread_time()
            while time.thread_time() - began < PIECE_CPU_SECONDS:
                pass
            yield "done "

    return Response(work(), content_type="text/plain")


@blueprint.post("/<name>/again")
def again(name):
    return jsonify(id=name, failed=json_body(Again).failed), 202


app = create_app()
app.register_blueprint(blueprint)
