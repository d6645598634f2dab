"""The HTTP interface to stored files."""

from flask import Blueprint, Response, jsonify
from pydantic import AwareDatetime, BaseModel, Field

from chassis import files
from chassis.security import bodies, uploads
from chassis.web.body import Text, query_parameters
from chassis.web.openapi.describe import Answer, describe
from chassis.web.paging import Page, Paging

blueprint = Blueprint("files_api", __name__, url_prefix="/api/files")
ID = "<string(length=32):file_id>"
FULL = "Your storage limit is reached, or the disk of the service is full."
MISSING = "There is no such file, or you may not see it."
HEADERS = {
    "Content-Disposition": "The file's name.",
    "ETag": "The file's version, for If-None-Match and If-Range.",
}


class FileResponse(BaseModel):
    """A stored file."""

    id: str
    label: str = Field(description="What the file belongs to; empty for files that were uploaded here.")
    name: str = Field(description="The name under which it is downloaded.")
    kind: str = Field(description="The media type of its content.")
    size: int
    sha256: str
    created_at: AwareDatetime


class FilePage(Page[FileResponse]):
    """A page of files, newest first."""


class FileList(BaseModel):
    """The stored files, in the order in which they were sent."""

    items: list[FileResponse]


class FileQuery(Paging):
    """Which files."""

    label: Text | None = Field(None, max_length=64, description="Only files with this label.")


class ContentQuery(BaseModel):
    """How the content is shown."""

    inline: bool = Field(False, description="Show an image in place instead of downloading it.")


@blueprint.post("")
@files.takes_files
@describe(
    body={bodies.FILES: files.FilesForm},
    answers={201: FileList, 413: "A file, or all of them, or an image's pixels are above a limit.", 507: FULL},
)
def upload() -> tuple[Response, int]:
    """Store files."""
    kept = files.keep(files.uploaded_files("files"), uploads.allowed_types())
    return jsonify(items=[file.as_dict() for file in kept]), 201


@blueprint.get("")
@describe(query=FileQuery, answers={200: FilePage})
def listing() -> Response:
    """Return a page of files, newest first."""
    asked = query_parameters(FileQuery)
    return jsonify(files.listing(label=asked.label, page=asked.page, per_page=asked.per_page))


@blueprint.get(f"/{ID}")
@describe(answers={200: FileResponse, 404: MISSING})
def show(file_id: str) -> Response:
    """Return what is known of a file."""
    return jsonify(files.seen(file_id).as_dict())


@blueprint.get(f"/{ID}/content")
@describe(
    query=ContentQuery,
    answers={
        200: Answer(text="The content, of the type of the file.", media="*/*", headers=HEADERS),
        206: Answer(text="The range that Range asks for.", media="*/*", headers=HEADERS),
        404: MISSING,
        412: "The file is another version.",
        416: "The file has no such range.",
    },
)
def content(file_id: str) -> Response:
    """Download a file."""
    asked = query_parameters(ContentQuery)
    return files.send(files.seen(file_id), inline=asked.inline)


@blueprint.delete(f"/{ID}")
@describe(answers={200: FileResponse, 404: MISSING})
def delete(file_id: str) -> Response:
    """Delete a file, and return what was known of it."""
    return jsonify(files.delete(file_id).as_dict())
