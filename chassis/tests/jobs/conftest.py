"""A separate database for each test, job kinds that are removed afterwards, and real workers."""

import pytest
from flask import Flask

from chassis.db import db
from chassis.jobs import registry
from chassis.jobs.runner import Runner
from chassis.settings import Settings
from chassis.tests.jobs.live import service
from chassis.tests.servers import new_database


@pytest.fixture
def settings(tmp_path):
    return Settings(database_url=new_database(tmp_path), job_lease_seconds=3, jobs_grace_seconds=0.5)


@pytest.fixture
def database(settings, monkeypatch):
    monkeypatch.setattr(registry, "_kinds", {})
    db.open(settings)
    yield db
    db.close()


@pytest.fixture
def runner(database, settings):
    """Return a function that starts a runner; all are stopped at the end."""
    started = []

    def start(**options):
        one = Runner(Flask("jobs"), settings, **options)
        one.start()
        started.append(one)
        return one

    yield start
    for one in started:
        one.stop()


@pytest.fixture(params=["embedded", "celery"])
def workers(request, tool, tmp_path, serve):
    """A service whose jobs are run by workers; none has been started."""
    with service(request.param, tool, tmp_path, serve) as found:
        yield found


@pytest.fixture
def celery(tool, tmp_path, serve):
    """The same with Celery, and a queue of its own for one kind."""
    with service("celery", tool, tmp_path, serve, JOBS_QUEUES="shaky=slow") as found:
        yield found
