"""An application with e-mail on, and a mail server in this process."""

from types import SimpleNamespace

import pytest
from pydantic import SecretStr

from app import create_app
from chassis.settings import Settings
from chassis.tests.servers import new_database
from chassis.tests.smtp_server import running


@pytest.fixture
def smtp():
    with running() as server:
        yield server


@pytest.fixture
def make(tmp_path):
    """Return a function that returns an application with settings for a mail server: its port, or a whole URL."""

    def made(url, **values):
        values = {"mail_from": "Acme <no-reply@example.org>", "secret_key": SecretStr("0123456789" * 4), **values}
        smtp_url = SecretStr(f"smtp://127.0.0.1:{url}" if isinstance(url, int) else url)
        database = SecretStr(new_database(tmp_path))
        app = create_app(Settings(app_env="test", database_url=database, smtp_url=smtp_url, **values))

        def run(*words):
            with app.app_context():  # as the flask command does
                return app.test_cli_runner().invoke(args=["mail", *words])

        return SimpleNamespace(app=app, run=run)

    return made
