"""A service whose jobs are run by workers of their own."""

import pytest

from chassis.tests.jobs.live.workers import service


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
