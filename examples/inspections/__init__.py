"""Inspections: images in, verdicts live; a person corrects them."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from chassis.hooks import Hooks


def register(hooks: "Hooks") -> None:
    """Register the routes, the page, the events, the pool of processes, and the rows that go with age or a person."""
    from app.features.inspections import api, batch, events, pages, service, settings, store, tables
    from chassis.security import leaving

    hooks.pages(api.blueprint, pages.blueprint)
    hooks.navigation("Inspections", "/inspections")
    hooks.upload_type(*service.TYPES)
    hooks.keep(batch.Pool(hooks.settings))
    events.connect()
    own = settings.InspectionSettings
    hooks.retain("inspections", lambda given: given.section(own).retention_inspections_days, store.delete_old)
    hooks.leaving(leaving.owned(tables.images, "images", named="name"))
    hooks.leaving(leaving.owned(tables.inspections, "inspections", named="name"))
