"""The HTTP interface of documents."""

from flask import Blueprint, Response, jsonify

from app.features.chat import documents
from app.features.chat.messages import DocumentList, DocumentPage, DocumentResponse
from chassis import files
from chassis.security import bodies
from chassis.web import Paging, describe, query_parameters

blueprint = Blueprint("chat_documents_api", __name__, url_prefix="/api/chat/documents")

ID = "<string(length=32):document_id>"
SPENT = "The monthly budget of the key or the account has no room for this."
FULL = "Your storage limit is reached, or the disk of the service is full."


@blueprint.post("")
@files.takes_files
@describe(body={bodies.FILES: files.FilesForm}, answers={201: DocumentList, 402: SPENT, 507: FULL})
def upload() -> tuple[Response, int]:
    """Store texts, Markdown files or PDFs; a job reads each of them."""
    return jsonify(items=documents.keep(files.uploaded_files("files"))), 201


@blueprint.get("")
@describe(query=Paging, answers={200: DocumentPage})
def listing() -> Response:
    """Return a page of documents, newest first."""
    asked = query_parameters(Paging)
    return jsonify(documents.listing(asked.page, asked.per_page))


@blueprint.get(f"/{ID}")
@describe(answers={200: DocumentResponse})
def show(document_id: str) -> Response:
    """Return a document."""
    return jsonify(documents.get(document_id))


@blueprint.delete(f"/{ID}")
@describe(answers={204: "The document is deleted."})
def remove(document_id: str) -> tuple[str, int]:
    """Delete a document, its file, and what the search knows of it."""
    documents.remove(document_id)
    return "", 204
