"""A database, its settings, and a function that makes backups of it."""

import pytest

from chassis.boot import branches
from chassis.db import backup, db, schema
from chassis.settings import Settings
from chassis.tests.servers import new_database


@pytest.fixture
def path(tmp_path):
    new_database(tmp_path)
    return tmp_path / "app.db"


@pytest.fixture
def settings(path):
    made = Settings(app_env="test", database_url=f"sqlite:///{path}")
    db.open(made)
    schema.know(branches())
    yield made
    db.close()


@pytest.fixture
def folder(path):
    """Where the backups go."""
    return path.parent / "backups"


@pytest.fixture
def make(settings):
    """Make a backup; what it reports is kept in `make.said`."""

    def run(**options):
        return backup.make(settings, report=run.said.append, **options)

    run.said = []
    return run
