"""The HTTP interface of inspections."""

from typing import Any

from flask import Blueprint, Response, jsonify
from pydantic import RootModel

from app.features.inspections import export, service, upload
from app.features.inspections.messages import (
    ImageResponse,
    InspectionPage,
    InspectionResponse,
    Named,
    NewInspection,
)
from chassis import files
from chassis.security import bodies, request_rates
from chassis.web import Answer, Paging, describe, form_body, query_parameters

blueprint = Blueprint("inspections_api", __name__, url_prefix="/api/inspections")

ID = "<string(length=32):inspection_id>"
FULL = "Your storage limit is reached, or the disk of the service is full."
CSV = "text/csv; charset=utf-8"
FILE = {"Content-Disposition": "The file's name."}
DOWNLOADS = "30 per minute"


class Results(RootModel[list[ImageResponse]]):
    """Every image in the order of the upload."""


@blueprint.post("")
@files.takes_files
@describe(
    body={bodies.FILES: NewInspection},
    answers={202: Answer(InspectionResponse, headers={"Location": "Its URL."}), 507: FULL},
)
def create() -> tuple[Response, int, dict[str, str]]:
    """Store images, all or none, and queue their inspection."""
    made = upload.form(files.uploaded_files("files"), form_body(Named).name.strip())
    return jsonify(made), 202, {"Location": f"/api/inspections/{made['id']}"}


@blueprint.get("")
@describe(query=Paging, answers={200: InspectionPage})
def listing() -> Response:
    """Return a page of inspections, newest first."""
    asked = query_parameters(Paging)
    return jsonify(service.listing(asked.page, asked.per_page))


@blueprint.get(f"/{ID}")
@describe(answers={200: InspectionResponse})
def show(inspection_id: str) -> Response:
    """Return one inspection."""
    return jsonify(service.get(inspection_id))


@blueprint.delete(f"/{ID}")
@describe(answers={200: InspectionResponse, 409: "It has not ended."})
def remove(inspection_id: str) -> Response:
    """Delete an ended inspection with its images."""
    return jsonify(service.remove(inspection_id))


@blueprint.get(f"/{ID}/results.csv")
@request_rates.limit(DOWNLOADS)
@describe(answers={200: Answer(text="One line for each image.", media=CSV, headers=FILE)})
def results_csv(inspection_id: str) -> Response:
    """Download the verdicts and corrections as CSV."""
    return _download(service.get(inspection_id), export.as_csv(inspection_id), CSV, "csv")


@blueprint.get(f"/{ID}/results.json")
@request_rates.limit(DOWNLOADS)
@describe(answers={200: Answer(Results, headers=FILE)})
def results_json(inspection_id: str) -> Response:
    """Download the verdicts and corrections as JSON."""
    return _download(service.get(inspection_id), export.as_json(inspection_id), "application/json", "json")


def _download(inspection: dict[str, Any], body: Any, content_type: str, ending: str) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="inspection-{inspection["id"][:8]}.{ending}"'}
    return Response(body, content_type=content_type, headers=headers)
