"""The HTTP interface of inspections and their images."""

from collections.abc import Iterator

from flask import Blueprint, Response, jsonify
from pydantic import RootModel

from app.features.inspections import messages, service, store
from app.features.inspections.messages import ImageResponse, InspectionResponse
from chassis import files, jobs
from chassis.errors import NotFound
from chassis.security import bodies, request_rates
from chassis.web import Answer, Paging, csv_table, describe, form_body, joined, json_array, json_body, query_parameters

blueprint = Blueprint("inspections_api", __name__, url_prefix="/api/inspections")

ID = "<string(length=32):inspection_id>"
IMAGE = "images/<string(length=32):image_id>"
FULL = "Your storage limit is reached, or the disk of the service is full."
CSV, JPEG = "text/csv; charset=utf-8", "image/jpeg"
DOWNLOADS = "30 per minute"  # of a key, an account or an address, and of each form
CREATED = Answer(InspectionResponse, headers={"Location": "Its URL."})
CONTENT = Answer(text="The image, or the range that was asked for.", media="image/*")
FILE = {"Content-Disposition": "The file's name."}
NEVER_CHANGES = "private, max-age=86400, immutable"


class Results(RootModel[list[ImageResponse]]):
    """Every image in the order of the upload."""


@blueprint.post("")
@files.takes_files
@describe(body={bodies.FILES: messages.NewInspection}, answers={202: CREATED, 507: FULL})
def create() -> tuple[Response, int, dict[str, str]]:
    """Store images, all or none, and queue their inspection."""
    name = form_body(messages.Named).name.strip()
    made = service.create(files.uploaded_files("files"), name, "upload")
    return jsonify(made), 202, {"Location": f"/api/inspections/{made['id']}"}


@blueprint.get("")
@describe(query=Paging, answers={200: messages.InspectionPage})
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


@blueprint.post(f"/{ID}/cancel")
@describe(answers={200: InspectionResponse, 409: "It has ended."})
def cancel(inspection_id: str) -> Response:
    """Stop an inspection; images that have a verdict keep it."""
    return jsonify(service.change(inspection_id, jobs.cancel))


@blueprint.post(f"/{ID}/continue")
@describe(answers={200: InspectionResponse, 409: "It waits or runs."})
def go_on(inspection_id: str) -> Response:
    """Inspect the images without an outcome, as after a cancellation or an outage."""
    return jsonify(service.change(inspection_id, jobs.requeue))


@blueprint.get(f"/{ID}/results.csv")
@request_rates.limit(DOWNLOADS)
@describe(answers={200: Answer(text="One line for each image.", media=CSV, headers=FILE)})
def results_csv(inspection_id: str) -> Response:
    """Download the verdicts and corrections as CSV."""
    lines = csv_table(list(ImageResponse.model_fields), service.results(inspection_id))
    return _download(inspection_id, lines, CSV, "csv")


@blueprint.get(f"/{ID}/results.json")
@request_rates.limit(DOWNLOADS)
@describe(answers={200: Answer(Results, headers=FILE)})
def results_json(inspection_id: str) -> Response:
    """Download the verdicts and corrections as JSON."""
    return _download(inspection_id, json_array(service.results(inspection_id)), "application/json", "json")


def _download(inspection_id: str, texts: Iterator[str], content_type: str, ending: str) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="inspection-{inspection_id[:8]}.{ending}"'}
    return Response(joined(texts), content_type=content_type, headers=headers)


@blueprint.get("/images")
@describe(query=messages.ImageQuery, answers={200: messages.ImagePage})
def images() -> Response:
    """Return a page of images, newest first."""
    asked = query_parameters(messages.ImageQuery)
    return jsonify(service.images(asked.inspection, asked.verdict, asked.page, asked.per_page))


@blueprint.get(f"/{IMAGE}")
@describe(answers={200: ImageResponse})
def image(image_id: str) -> Response:
    """Return one image with its verdict."""
    return jsonify(store.shown_image(service.image(image_id)))


@blueprint.get(f"/{IMAGE}/thumbnail")
@describe(answers={200: Answer(text="A small JPEG.", media=JPEG)})
def thumbnail(image_id: str) -> Response:
    """Show an image small."""
    if (found := service.image(image_id)["thumbnail"]) is None:
        raise NotFound("The image has no thumbnail.")
    return Response(found, content_type=JPEG, headers={"Cache-Control": NEVER_CHANGES})


@blueprint.get(f"/{IMAGE}/content")
@describe(answers={200: CONTENT, 206: CONTENT, 304: "It has not changed.", 416: "It has no such range."})
def content(image_id: str) -> Response:
    """Show an image as it was stored."""
    return files.send(files.seen(service.image(image_id)["file_id"]), inline=True)


@blueprint.put(f"/{IMAGE}/correction")
@describe(body=messages.Correction, answers={200: ImageResponse, 409: "The image has no verdict yet."})
def correct(image_id: str) -> Response:
    """Store the verdict of a person, which counts instead of the classifier's, or withdraw it."""
    return jsonify(service.correct(image_id, json_body(messages.Correction)))
