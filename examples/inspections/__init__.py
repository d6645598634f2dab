"""Inspections: images in, verdicts live; a person corrects them."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from chassis.hooks import Hooks


def register(hooks: "Hooks") -> None:
    """Register the routes, the page, the events, the pool of processes and the rows that are deleted by age."""
    from app.features.inspections import api, batch, events, images_api, pages, retention, upload

    hooks.pages(api.blueprint, images_api.blueprint, pages.blueprint)
    hooks.navigation("Inspections", "/inspections")
    for kind in upload.TYPES:
        hooks.upload_type(kind)
    events.connect()
    retention.connect(hooks)
    hooks.keep(batch.pool_of(hooks.settings))
