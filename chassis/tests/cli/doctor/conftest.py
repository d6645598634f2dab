"""What a check finds under good settings, and a folder of data."""

import pytest
from flask import Flask

from chassis.cli import file_weaknesses, weaknesses
from chassis.db import db
from chassis.security import keyring
from chassis.settings import Settings
from chassis.tests.cli.doctor.good import GOOD
from chassis.wiring import wire


@pytest.fixture
def found(tmp_path, monkeypatch):
    """Return a function that gives the names of what a check finds, under good settings but for those given."""
    for module in (weaknesses, file_weaknesses):
        monkeypatch.setattr(module, "BASE_DIR", tmp_path)

    def look(check, prepare=lambda app: None, **changed) -> list[str]:
        settings = Settings(**{**GOOD, "database_url": f"sqlite:///{tmp_path}/data/app.db", **changed})
        db.open(settings)
        app = Flask("small")
        wire(app, settings)
        keyring.install(app, settings)
        with app.app_context():
            prepare(app)
            look.last = list(check(settings))
            return [weakness.name for weakness in look.last]

    yield look
    db.close()


@pytest.fixture
def data(tmp_path):
    (tmp_path / "data").mkdir(mode=0o755)
    (tmp_path / "data/app.db").touch(mode=0o644)
    return tmp_path / "data"
