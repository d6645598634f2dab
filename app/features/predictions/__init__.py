"""The example: a CSV of rows, a prompt template, one call to an LLM API per row, and results as they arrive."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from chassis.hooks import Hooks


def register(hooks: "Hooks") -> None:
    """Register the routes, the job kind and the live results."""
    from app.features.predictions import api, api_changes, example, jobs, leaving, live, pages, quotas, retention

    hooks.pages(pages.blueprint, api.blueprint, api_changes.blueprint)
    hooks.navigation("Predictions", "/predictions")
    hooks.seed(example.seed)
    live.connect()
    retention.connect(hooks)
    hooks.leaving(leaving.PART)
    quotas.connect()
    jobs.configure(hooks.settings)
