"""The example's HTTP interface: validate, 202 with Location, show, cancel, download."""

import re
from pathlib import Path
from typing import Any

from flask import Blueprint, Response, jsonify, request
from werkzeug.datastructures import FileStorage

from app.features.predictions import example, export, json_rows, search, service, store, upload
from app.features.predictions.messages import (
    AcceptedBatch,
    BatchNow,
    BatchPage,
    BeginningOfFile,
    ConfigResponse,
    FirstRow,
    NewBatch,
    NewBatchForm,
    NewBatchOfLines,
    NewBatchOfRows,
    Requeue,
    ResultsResponse,
    RowQuery,
    RowsResponse,
)
from app.features.predictions.predictor import predictor
from app.features.predictions.rows import Rows
from chassis.db import db
from chassis.errors import BadRequest, UnsupportedMediaType
from chassis.security import bodies, request_rates, uploads
from chassis.web import (
    INVALID_BODY,
    Answer,
    Paging,
    checked_fields,
    describe,
    form_body,
    json_body,
    json_text,
    query_parameters,
    uploaded_file,
)

blueprint = Blueprint("predictions_api", __name__, url_prefix="/api/predictions")

ID = "<string(length=32):prediction_id>"  # so that `example` is not a batch id, and other methods on it are refused
MAX_LINES_BYTES = 500_000  # of a form with one text, which is split while others wait
ACCEPTED = Answer(AcceptedBatch, headers={"Location": "URL of the batch."})
NOBODY_ANSWERS = "No model is configured: OPENROUTER_API_KEY is not set."
DOWNLOADS = "30 per minute"  # per principal and format: a download may have 50 MB
SPENT = "The monthly budget of the key or the account is used up."
FULL = "Your storage limit is reached, or this batch would exceed it."
CSV = "text/csv; charset=utf-8"
UNUSUAL = re.compile(r"[^A-Za-z0-9._-]+")  # in a file name
FILE = {"Content-Disposition": "The file's name."}


@blueprint.post("")
@bodies.takes({bodies.JSON: "max_json_bytes", bodies.FILES: "max_upload_bytes", bodies.FORM: MAX_LINES_BYTES})
@describe(
    body={"application/json": NewBatchOfRows, bodies.FILES: NewBatchForm, bodies.FORM: NewBatchOfLines},
    answers={202: ACCEPTED, 402: SPENT, 503: NOBODY_ANSWERS, 507: FULL},
)
def create() -> tuple[Response, int, dict[str, str]]:
    """Store a batch from JSON rows, an uploaded CSV or pasted lines, and queue its job."""
    if request.is_json:
        fields, rows = json_rows.read(json_text(), predictor.max_rows)
        return _accepted(checked_fields(NewBatch, fields), rows)
    if request.mimetype not in bodies.FORMS:
        raise UnsupportedMediaType("Send JSON with rows, or a form with file or lines.")
    form, file, lines = form_body(NewBatch), uploaded_file("file"), request.form.getlist("lines")
    _check_one_source(file, lines)
    if file:
        named = form.model_copy(update={"name": form.name or Path(file.filename or "").stem[:200]})
        return _accepted(named, upload.read_csv(uploads.read(file, upload.TYPES), predictor.max_rows))
    if lines:
        return _accepted(form, upload.read_lines(lines[0], predictor.max_rows))
    raise BadRequest("Send JSON with rows, or a form with file or lines.", code="no_rows")


@blueprint.post("/first-row")
@describe(body={bodies.FILES: BeginningOfFile}, answers={200: FirstRow})
def first_row() -> Response:
    """Parse the beginning of a file and return its first row; nothing is stored."""
    file = uploaded_file("file")
    if file is None:
        raise BadRequest("Send a form with file.", code="no_rows")
    return jsonify(row=upload.first_row(uploads.read(file, upload.TYPES, counted=False)))


@blueprint.post("/example")
@describe(answers={202: ACCEPTED, 402: SPENT, 503: NOBODY_ANSWERS, 507: FULL})
def create_example() -> tuple[Response, int, dict[str, str]]:
    """Start the example batch that ships with the project."""
    return _accepted(NewBatch(name=example.NAME, prompt=example.PROMPT), example.rows())


@blueprint.get("")
@describe(query=Paging, answers={200: BatchPage})
def listing() -> Response:
    """Return a page of batches, newest first."""
    asked = query_parameters(Paging)
    return jsonify(service.listing(page=asked.page, per_page=asked.per_page))


@blueprint.get("/config")
@describe(answers={200: ConfigResponse})
def config() -> Response:
    """Return the model that answers and the limits on input."""
    return jsonify(
        demo=predictor.demo,
        model=predictor.model,
        ready=predictor.problem is None,
        reason=predictor.problem,
        max_rows=predictor.max_rows,
        rows_per_second=predictor.rows_per_second,
        **predictor.prices,
    )


@blueprint.get(f"/{ID}")
@describe(answers={200: BatchNow})
def show(prediction_id: str) -> Response:
    """Return one batch."""
    return jsonify(service.get(prediction_id))


@blueprint.get(f"/{ID}/rows")
@describe(query=RowQuery, answers={200: RowsResponse})
def rows(prediction_id: str) -> Response:
    """Return rows in input order, all or those that match, or the rows that finished after a given finish_no."""
    asked, batch = query_parameters(RowQuery), service.get(prediction_id)
    if (after := asked.after) is not None:
        found = db.read(lambda conn: store.rows_after(conn, prediction_id, after=after, limit=asked.limit))
    elif asked.failed or asked.search:
        of = search.matching(prediction_id, failed=asked.failed, text=asked.search)
        total, found = db.read(lambda conn: search.matches(conn, of, offset=asked.offset, limit=asked.limit))
        return jsonify(total=total, items=found)
    else:
        page = {"offset": asked.offset, "limit": asked.limit}
        found = db.read(lambda conn: store.page_of_rows(conn, prediction_id, **page))
    return jsonify(total=batch["total"], items=found)


@blueprint.get(f"/{ID}/results.csv")
@request_rates.limit(DOWNLOADS)
@describe(answers={200: Answer(text="The input's columns, then output, status, error.", media=CSV, headers=FILE)})
def results_csv(prediction_id: str) -> Response:
    """Download the results as CSV."""
    batch = service.get(prediction_id)
    return _download(batch, export.as_csv(batch), CSV, "csv")


@blueprint.get(f"/{ID}/results.json")
@request_rates.limit(DOWNLOADS)
@describe(answers={200: Answer(ResultsResponse, headers=FILE)})
def results_json(prediction_id: str) -> Response:
    """Download the results as JSON."""
    batch = service.get(prediction_id)
    return _download(batch, export.as_json(batch), "application/json", "json")


@blueprint.post(f"/{ID}/cancel")
@describe(answers={200: BatchNow, 409: "The batch has already ended."})
def cancel(prediction_id: str) -> Response:
    """Stop a batch."""
    return jsonify(service.cancel(prediction_id))


@blueprint.post(f"/{ID}/requeue")
@describe(
    body=Requeue,
    answers={202: BatchNow, 402: SPENT, 409: "The batch has not ended, or every row already has an answer."},
)
def requeue(prediction_id: str) -> tuple[Response, int]:
    """Resume a batch that ended before every row was answered."""
    body = json_body(Requeue)
    return jsonify(service.requeue(prediction_id, failed=body.failed)), 202


def _check_one_source(file: FileStorage | None, lines: list[str]) -> None:
    """Raise BadRequest when a form has more than one source of rows; the others would be dropped in silence."""
    if len(lines) > 1:
        raise BadRequest("lines was given more than once.", code=INVALID_BODY)
    if file and any(lines):
        raise BadRequest("Send either file or lines, not both.", code=INVALID_BODY)


def _accepted(form: NewBatch, inputs: Rows) -> tuple[Response, int, dict[str, str]]:
    made = service.create(name=form.name.strip() or "Untitled", prompt=form.prompt, rows=inputs)
    return jsonify(made), 202, {"Location": f"/api/predictions/{made['id']}"}


def _download(batch: dict[str, Any], body: Any, content_type: str, ending: str) -> Response:
    name = UNUSUAL.sub("-", batch["name"]).strip("-.")[:80] or "results"
    headers = {"Content-Disposition": f'attachment; filename="{name}.{ending}"'}
    return Response(body, content_type=content_type, headers=headers)
