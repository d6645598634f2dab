"""An application with a separate database, and a job's context."""

from types import SimpleNamespace

import pytest
from flask import Flask

from chassis.db import db
from chassis.jobs import JobContext, registry
from chassis.settings import Settings
from chassis.tests.servers import new_database
from chassis.upkeep import register
from chassis.wiring import wire, wiring_of


@pytest.fixture
def upkeep(tmp_path):
    """Return the application's settings, and a function that runs a job kind in this process."""
    settings = Settings(database_url=new_database(tmp_path), files_to=str(tmp_path / "files"))
    register()
    db.open(settings)
    db.warm()  # as in a worker, whose connections stay open
    app = Flask("upkeep")
    wire(app, settings)
    found = SimpleNamespace(app=app, settings=settings)

    def run(kind, **changed):
        wiring_of(app).settings = found.settings.model_copy(update=changed)
        context = JobContext("1", kind, 1, lambda *_: None)
        with app.app_context():
            registry.kind(kind).handler(context, {})
        return context.latest[2]

    found.run = run
    yield found
    db.close()
