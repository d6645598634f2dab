"""A service and its application; `create_app` is the table of contents of the chassis.

The top imports no heavy libraries: gunicorn's master imports this module before its workers patch the standard library.
"""

import gc
from typing import TYPE_CHECKING

from chassis.base.service import Service

if TYPE_CHECKING:
    from flask import Flask

    from chassis.settings import Settings

__all__ = ["Service", "create_app"]


def create_app(settings: "Settings | None" = None) -> "Flask":
    """Return the application; without settings, they are read from the environment. Nothing is connected to."""
    gc.disable()  # what is loaded stays: looking for garbage in it, again and again, would be a tenth of the time
    try:
        return _created(settings)
    finally:
        gc.enable()


def _created(settings: "Settings | None") -> "Flask":
    from chassis import boot, features, web
    from chassis.db import db, schema
    from chassis.observability import error_reports, logs, redaction
    from chassis.security import budgets, quotas, sessions, signing, switches
    from chassis.settings.secret_key import ensure_secret_key
    from chassis.upstream import metering, upstream
    from chassis.web.application import Application
    from chassis.wiring import wire

    settings = ensure_secret_key(settings or features.load())
    logs.configure_logging(settings)
    error_reports.install(settings)
    app = Application("app", root_path=web.__path__[0])
    app.config.update(SECRET_KEY=settings.secret_key.get_secret_value(), MAX_CONTENT_LENGTH=settings.max_body_bytes)
    app.config["SECRET_KEY_FALLBACKS"] = [key.get_secret_value() for key in settings.earlier_secret_keys]
    signing.configure(app.config)
    app.config["TEMPLATES_AUTO_RELOAD"] = settings.debug_pages
    app.session_interface = sessions.Sessions()
    wiring = wire(app, settings)
    wiring.health_checks.update(boot.readiness())
    redaction.configure(wiring.redactions)
    db.open(settings)
    switches.configure(settings)
    quotas.configure(settings)
    budgets.configure(settings)
    schema.know(boot.branches())
    upstream.configure(settings)
    upstream.meter(metering.metered)
    _install(app, settings)
    return app


def _install(app: "Flask", settings: "Settings") -> None:
    """Install the rooms in the order in which a request passes them, then the features, then what surrounds them."""
    from chassis import cli, mail, realtime, web
    from chassis.files import leaving as files_leaving
    from chassis.jobs import leaving, schedules
    from chassis.observability import requests, tracing
    from chassis.security import (
        bodies,
        cors,
        csrf,
        decoding,
        guard,
        headers,
        hosts,
        keyring,
        maintenance,
        proxies,
        request_rates,
    )
    from chassis.upkeep import register as register_upkeep
    from chassis.web import assets

    requests.install(app)
    tracing.install(app, settings)
    hosts.install(app)
    cors.install(app, settings)
    keyring.install(app, settings)
    request_rates.install(app, settings)
    guard.install(app)
    bodies.install(app)
    csrf.install(app)
    maintenance.install(app)
    headers.install(app)
    web.install(app)
    realtime.install(app, settings)
    leaving.install(app)
    files_leaving.install(app)
    mail.install(app)
    cli.install(app)
    register_upkeep()
    _register_features(app)
    assets.install(app, settings)
    schedules.configure(settings)
    hosts.wrap(app, settings)
    proxies.install(app, settings)
    decoding.install(app)


def _register_features(app: "Flask") -> None:
    """Call `register` of every feature, and import what is found by its place: kinds of jobs, handlers of events."""
    from importlib import import_module

    from chassis import features
    from chassis.hooks import Hooks

    for feature in features.found():
        import_module(feature.package).register(Hooks(app, feature.name, feature.folder))
    for part in ("jobs", "events"):
        list(features.modules(part, own=True))
