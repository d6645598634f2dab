"""The HTTP interface of changes to a batch: rename, delete, run again."""

from flask import Blueprint, Response, jsonify

from app.features.predictions import changes
from app.features.predictions.api import ACCEPTED, FULL, ID, NOBODY_ANSWERS, SPENT
from app.features.predictions.messages import BatchNow, Rename
from chassis.web import describe, json_body

blueprint = Blueprint("predictions_changes", __name__, url_prefix="/api/predictions")


@blueprint.patch(f"/{ID}")
@describe(body=Rename, answers={200: BatchNow})
def rename(prediction_id: str) -> Response:
    """Rename a batch."""
    return jsonify(changes.rename(prediction_id, json_body(Rename).name.strip() or "Untitled"))


@blueprint.delete(f"/{ID}")
@describe(answers={200: BatchNow, 409: "The batch has not ended."})
def remove(prediction_id: str) -> Response:
    """Delete an ended batch, and return it."""
    return jsonify(changes.remove(prediction_id))


@blueprint.post(f"/{ID}/run-again")
@describe(answers={202: ACCEPTED, 402: SPENT, 503: NOBODY_ANSWERS, 507: FULL})
def run_again(prediction_id: str) -> tuple[Response, int, dict[str, str]]:
    """Start a new batch with the same prompt and rows; answers that are known are used again."""
    made = changes.run_again(prediction_id)
    return jsonify(made), 202, {"Location": f"/api/predictions/{made['id']}"}
