"""The console at /admin/console: the service's state, live, and what an operator does about it; as deletable as any."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask


def register(app: "Flask") -> None:
    """Add the page, its figures and actions, and the brand in every page's header."""
    from chassis.observability import job_lines
    from chassis.parts.console import actions, api, brand_pages, live, operations, pages
    from chassis.parts.console.brand import Brands

    app.extensions["job_lines"] = job_lines.install(app.extensions["settings"])
    app.extensions["brands"] = brands = Brands()
    app.extensions["brand"] = lambda: brand_pages.shown(brands)
    app.extensions["admin_pages"].insert(0, {"label": "Console", "href": "/admin/console"})
    for blueprint in (pages.blueprint, actions.blueprint, operations.blueprint, api.blueprint, brand_pages.blueprint):
        app.register_blueprint(blueprint)
    live.register(app)
