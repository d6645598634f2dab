"""The example: a CSV of rows, a prompt template, one call to an LLM API per row, results as they come in."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask


def register(app: "Flask") -> None:
    """Add the routes, the job kind and the live results."""
    from app.features.predictions import api, jobs, live, pages, quotas, retention

    app.register_blueprint(pages.blueprint)
    app.register_blueprint(api.blueprint)
    app.extensions["nav"].append({"label": "Predictions", "href": "/predictions"})
    live.connect()
    retention.connect()
    quotas.connect()
    jobs.configure(app.extensions["settings"])
