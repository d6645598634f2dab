"""The example's two pages."""

from flask import Blueprint, Response, render_template, send_file

from app.features.predictions import artefacts, service
from app.features.predictions.predictor import predictor
from chassis.errors import NotFound

BATCHES = 20  # that are listed without scripts
blueprint = Blueprint("predictions", __name__)


@blueprint.get("/predictions")
def index() -> str:
    """Show the form and the list of batches."""
    made = artefacts.find(artefacts.FIGURE) is not None
    batches = service.listing(1, BATCHES)["items"]
    return render_template("predictions/index.html", artefacts=made, batches=batches, predictor=predictor)


@blueprint.get("/predictions/artefacts/<name>")
def artefact(name: str) -> Response:
    """Download the CSV or the figure of all results."""
    path = artefacts.find(name) if name in artefacts.TYPES else None
    if path is None:
        raise NotFound("This file does not exist yet, or you do not have access to it.")
    kind = artefacts.TYPES[name]
    return send_file(path, kind, as_attachment=True, download_name=name, conditional=False, max_age=0)


@blueprint.get("/predictions/<prediction_id>")
def batch(prediction_id: str) -> str:
    """Show one batch with live updates."""
    pace = predictor.rows_per_second
    return render_template("predictions/batch.html", batch=service.get(prediction_id), pace=pace)
