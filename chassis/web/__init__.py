"""Pages, health checks, metrics, the HTTP interface to jobs, and error handlers."""

from flask import Flask

from chassis.jobs.described import JobResponse
from chassis.server.gone import has_hung_up, is_gone
from chassis.web.again import shown_again
from chassis.web.body import BODY as INVALID_BODY
from chassis.web.body import (
    Json,
    Moment,
    Text,
    checked_fields,
    checked_strings,
    form_body,
    json_body,
    json_text,
    query_parameters,
    uploaded_file,
)
from chassis.web.downloads import csv_line, csv_table, json_array
from chassis.web.once import hand_over, handed_over
from chassis.web.openai_body import OpenAIRequest, Prompt, openai_request
from chassis.web.openai_form import openai_answer, openai_error, openai_events
from chassis.web.openapi.describe import Answer, describe
from chassis.web.paging import Page, Paging
from chassis.web.sse import sse
from chassis.web.streaming import joined
from chassis.wiring import settings_of, wiring_of

__all__ = [
    "INVALID_BODY",
    "Answer",
    "JobResponse",
    "Json",
    "Moment",
    "OpenAIRequest",
    "Page",
    "Paging",
    "Prompt",
    "Text",
    "checked_fields",
    "checked_strings",
    "csv_line",
    "csv_table",
    "describe",
    "form_body",
    "hand_over",
    "handed_over",
    "has_hung_up",
    "is_gone",
    "joined",
    "json_array",
    "json_body",
    "json_text",
    "openai_answer",
    "openai_error",
    "openai_events",
    "openai_request",
    "query_parameters",
    "shown_again",
    "sse",
    "uploaded_file",
]


def install(app: Flask) -> None:
    """Register everything that this room serves."""
    from chassis.web import (
        admin,
        again,
        asyncapi,
        budgets,
        development,
        errors,
        feedback,
        files,
        health,
        jobs,
        load_keys,
        metrics,
        openapi,
        pages,
        streaming,
        usage,
        well_known,
    )

    again.install(app)
    errors.install(app)
    streaming.install(app)
    wiring_of(app).admin_pages += admin.pages()
    for module in (
        admin,
        asyncapi,
        budgets,
        files,
        health,
        jobs,
        load_keys,
        metrics,
        openapi,
        pages,
        usage,
        well_known,
    ):
        app.register_blueprint(module.blueprint)
    feedback.install(app, settings_of(app))
    development.install(app)
