"""The HTTP interface of the images of inspections."""

from flask import Blueprint, Response, jsonify

from app.features.inspections import service, store
from app.features.inspections.messages import Correction, ImagePage, ImageQuery, ImageResponse
from chassis import files
from chassis.web import Answer, describe, json_body, query_parameters

blueprint = Blueprint("inspections_images_api", __name__, url_prefix="/api/inspections/images")

ID = "<string(length=32):image_id>"
JPEG = "image/jpeg"
NEVER_CHANGES = "private, max-age=86400, immutable"
WAITS = "The image has no verdict yet."


@blueprint.get("")
@describe(query=ImageQuery, answers={200: ImagePage})
def listing() -> Response:
    """Return a page of images, newest first."""
    asked = query_parameters(ImageQuery)
    return jsonify(service.images(asked.inspection, asked.verdict, asked.page, asked.per_page))


@blueprint.get(f"/{ID}")
@describe(answers={200: ImageResponse})
def show(image_id: str) -> Response:
    """Return one image with its verdict."""
    return jsonify(store.shown_image(service.image(image_id)))


@blueprint.get(f"/{ID}/thumbnail")
@describe(answers={200: Answer(text="A small JPEG.", media=JPEG)})
def thumbnail(image_id: str) -> Response:
    """Show an image small."""
    return Response(service.thumbnail(image_id), content_type=JPEG, headers={"Cache-Control": NEVER_CHANGES})


@blueprint.get(f"/{ID}/content")
@describe(
    answers={
        200: Answer(text="The image.", media="image/*"),
        206: Answer(text="The range of the image that was asked for.", media="image/*"),
        304: "The image has not changed.",
        416: "The image has no such range.",
    }
)
def content(image_id: str) -> Response:
    """Show an image as it was stored."""
    return files.send(files.seen(service.image(image_id)["file_id"]), inline=True)


@blueprint.put(f"/{ID}/correction")
@describe(body=Correction, answers={200: ImageResponse, 409: WAITS})
def correct(image_id: str) -> Response:
    """Store the verdict of a person, which counts instead of the classifier's, or withdraw it."""
    return jsonify(service.correct(image_id, json_body(Correction)))
