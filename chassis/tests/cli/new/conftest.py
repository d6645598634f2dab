"""The application in this process, with a folder of its own for features."""

import pytest

from app import create_app
from chassis import features
from chassis.cli.new import feature
from chassis.settings import Settings


@pytest.fixture
def own(tmp_path, monkeypatch):
    """A folder of features, with one feature in it."""
    (tmp_path / "features/boats/tests").mkdir(parents=True)
    (tmp_path / "features/boats/__init__.py").touch()
    monkeypatch.setattr(features, "OWN", tmp_path / "features")
    monkeypatch.setattr(feature, "_document", list)
    monkeypatch.setattr("chassis.cli.new.commands.BASE_DIR", tmp_path)
    return tmp_path / "features"


@pytest.fixture
def flask(tmp_path, own):
    """Return a function that types a command after `flask new`, and returns what it says."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(features, "found", list)  # when the application is made
        app = create_app(Settings(app_env="test", database_url=f"sqlite:///{tmp_path}/app.db"))
    with app.app_context():
        yield lambda *words, status=0: _typed(app, words, status)


def _typed(app, words, status):
    done = app.test_cli_runner().invoke(args=["new", *words])
    assert done.exit_code == status, f"{done.output}\n{done.exception!r}"
    assert done.output, repr(done.exception)
    return done.output
