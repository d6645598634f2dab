"""Pages, health, metrics, the jobs' HTTP interface, and the answer to every error."""

from flask import Flask

from chassis.wiring import wiring_of


def install(app: Flask) -> None:
    """Add everything that this room serves."""
    from chassis.web import (
        admin,
        errors,
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

    errors.install(app)
    streaming.install(app)
    wiring_of(app).admin_pages += admin.pages()
    for module in (admin, health, jobs, load_keys, metrics, openapi, pages, usage, well_known):
        app.register_blueprint(module.blueprint)
