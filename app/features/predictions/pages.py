"""The example's two pages."""

from flask import Blueprint, Response, render_template, send_file

from app.features.predictions import artefacts, service
from chassis.errors import NotFound

blueprint = Blueprint("predictions", __name__)


@blueprint.get("/predictions")
def index() -> str:
    """Show the form and the list of batches."""
    return render_template("predictions/index.html", artefacts=artefacts.find(artefacts.FIGURE) is not None)


@blueprint.get("/predictions/artefacts/<name>")
def artefact(name: str) -> Response:
    """Download the CSV or the figure of all results."""
    path = artefacts.find(name) if name in artefacts.TYPES else None
    if path is None:
        raise NotFound("It does not exist yet, or you may not see it.")
    kind = artefacts.TYPES[name]
    return send_file(path, kind, as_attachment=True, download_name=name, conditional=False, max_age=0)


@blueprint.get("/predictions/<prediction_id>")
def batch(prediction_id: str) -> str:
    """Show one batch with live updates."""
    return render_template("predictions/batch.html", batch=service.get(prediction_id))
