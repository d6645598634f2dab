"""The example: a CSV of rows, a prompt template, one call to an LLM API per row, results as they come in."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from chassis.hooks import Hooks


def register(hooks: "Hooks") -> None:
    """Add the routes, the job kind and the live results."""
    from app.features.predictions import api, jobs, live, pages, quotas, retention

    hooks.pages(pages.blueprint, api.blueprint)
    hooks.navigation("Predictions", "/predictions")
    live.connect()
    retention.connect(hooks)
    quotas.connect()
    jobs.configure(hooks.settings)
