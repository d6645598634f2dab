"""The application without the example, and with what `make smoke` asks of it: a batch that ends as BATCH says."""

import os

from flask import Blueprint, jsonify

from app import create_app
from chassis import features, jobs
from chassis.tests.named import EXAMPLE

BATCH = os.environ["BATCH"]  # "answered", "unanswered", "broken" where the job itself fails, or "endless"
present = features.found
features.found = lambda: [feature for feature in present() if feature.name != EXAMPLE]
blueprint = Blueprint("batch", __name__, url_prefix=f"/api/{EXAMPLE}")


@jobs.job("batch", stall="interrupt")
def batch(context, payload):
    if BATCH == "broken":
        raise ValueError("it was told to")
    while BATCH == "endless":
        context.wait(1)


@blueprint.get("/config")
def config():
    return jsonify(ready=True)


@blueprint.post("")
def create():
    job = jobs.enqueue("batch", {})
    return jsonify(id=job.id, job_id=job.id), 202


@blueprint.get("/<batch_id>/rows")
def rows(batch_id):
    answered = {"status": "succeeded", "output": "no", "error": None}
    row = answered if BATCH == "answered" else {"status": "failed", "output": None, "error": "Nobody answers."}
    return jsonify(items=[row, row])


app = create_app()
app.register_blueprint(blueprint)
