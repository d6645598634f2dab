"""An application with people in it, and browsers that post its forms."""

import re
from pathlib import Path
from types import SimpleNamespace

import argon2
import pytest
from pydantic import SecretStr

from app import create_app
from chassis.db import db
from chassis.parts.accounts import administration, joining, passwords
from chassis.parts.accounts.settings import AccountSettings, OidcSettings
from chassis.parts.accounts.tests.oidc_parts import PUBLIC, provider_process
from chassis.settings import Settings
from chassis.tests.conftest import (
    ASYNC_MODE,
    Server,
    free_port,
    gunicorn,
    new_database,
    page,
    same_in_every_mode,
    tool,
    wait_for,
)
from chassis.tests.servers import copied_database

__all__ = ["page", "tool", "wait_for"]
LIVE_APP = gunicorn(Path(__file__).parent, "live_app:app")
PASSWORD = "a heron stands in the reeds"
QUICK = argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)  # tests hash hundreds of passwords
ADA, ROOT_MAIL = "ada@example.org", "root@example.org"


class Browser:
    """One person's browser: cookies, forms with what is hidden in them, and the origin of its pages."""

    def __init__(self, app, address="127.0.0.1", base_url="http://localhost"):
        self.client = app.test_client()
        self.options = {"base_url": base_url, "environ_overrides": {"REMOTE_ADDR": address}}

    def get(self, path, **headers):
        return self.client.get(path, headers={"Accept": "text/html", **headers}, **self.options)

    def send(self, page, path=None, **fields):
        """Open a page and send its form that goes to `path`, by default to the page itself."""
        text = self.get(page).text
        hidden = dict(re.findall(r'<input type="hidden" name="(\w+)"[^>]* value="([^"]*)"', text))
        return self.post(path or page, **{**hidden, **fields})

    def post(self, path, **fields):
        """Post a form, and go on to the page that shows a new secret once."""
        answer = self.only_post(path, **fields)
        handed_over = any(cookie.startswith("shown_once=") for cookie in answer.headers.getlist("Set-Cookie"))
        return self.get(answer.location) if handed_over else answer

    def only_post(self, path, **fields):
        headers = {"Accept": "text/html", "Origin": self.options["base_url"]}
        return self.client.post(path, data=fields, headers=headers, **self.options)

    def sign_in(self, email=ADA, password=PASSWORD, target=""):
        return self.send(f"/sign-in?next={target}", "/sign-in", email=email, password=password)

    def act(self, path, page="/account", **fields):
        """Send what a form on a page would send to `path`."""
        token = re.search(r'name="csrf_token" value="(\w+)"', self.get(page).text)
        return self.post(path, **{"csrf_token": token[1] if token else "", **fields})

    def is_in(self):
        return self.get("/account").status_code == 200

    def cookie(self, name="account"):
        found = self.client.get_cookie(name)
        return found.value if found else None


@pytest.fixture(scope="session")
def migrated(tmp_path_factory):
    """The URL of a database with a user and an admin, to be copied."""
    url = new_database(tmp_path_factory.mktemp("migrated"))
    app = create_app(settings_for(url))
    with app.app_context(), pytest.MonkeyPatch.context() as patch:
        patch.setattr(passwords, "_hasher", QUICK)
        joining.create(ADA, "user", PASSWORD)
        joining.create(ROOT_MAIL, "admin", PASSWORD)
    db.close()
    return url


def settings_for(url, own=None, oidc=None, **values):
    settings = Settings(**{"app_env": "test", "database_url": SecretStr(url), **values})
    settings._sections[AccountSettings] = AccountSettings(**(own or {}))
    settings._sections[OidcSettings] = OidcSettings(**(oidc or {}))
    return settings


@pytest.fixture
def make(migrated, tmp_path, monkeypatch):
    """Return a function that makes an application which asks who it is, and hashes with little work."""
    monkeypatch.setattr(passwords, "_hasher", QUICK)

    def build(own=None, oidc=None, **values):
        db.close()
        url = copied_database(migrated, tmp_path)
        app = create_app(settings_for(url, own, oidc, **{"require_client_api_key": True, **values}))

        def run(*words, group="users", **options):
            with app.app_context():  # as the flask command does
                return app.test_cli_runner().invoke(args=[group, *words], **options)

        return SimpleNamespace(app=app, browser=lambda **options: Browser(app, **options), run=run)

    yield build
    db.close()


@pytest.fixture
def people(make):
    """The usual one of those."""
    return make()


@pytest.fixture(scope="module")
def server(migrated, tmp_path_factory):
    """A real server that asks who it is, with a user, an admin and a live page, one for all tests of a module."""
    folder = tmp_path_factory.mktemp("served")
    env = {"APP_ENV": "test", "ASYNC_MODE": ASYNC_MODE, "PORT": str(free_port()), "REQUIRE_CLIENT_API_KEY": "true"}
    env |= {"DATABASE_URL": copied_database(migrated, folder), "LOG_FORMAT": "json", "TEST_PASSKEYS": "true"}
    running = Server(folder, LIVE_APP, env).wait_ready()
    yield running
    running.stop()


@pytest.fixture
def operator(server):
    """Another process at the server's database, as the commands are: `operator(administration.disable, email)`."""
    app = create_app(settings_for(server.env["DATABASE_URL"]))

    def act(function, email, *arguments):
        with app.app_context():
            return function(administration.find(email), *arguments)

    yield act
    db.close()


def pytest_collection_modifyitems(items):
    """Leave out, where another ASYNC_MODE is tried, all but what waits there: passwords are the same in every mode."""
    for item in items:
        if "accounts/tests" in str(item.path) and item.path.name not in ("test_sockets.py", "test_oidc_live.py"):
            item.add_marker(same_in_every_mode)


@pytest.fixture(scope="module")
def provider_of_module():
    with provider_process() as provider:
        yield provider


@pytest.fixture
def provider(provider_of_module):
    """A provider that tells the truth, until a test says otherwise."""
    yield provider_of_module
    provider_of_module.lie()


@pytest.fixture
def join(make, provider):
    """Return a function that makes an application whose people sign in by the provider."""

    def build(own=None, app=None, **oidc):
        return make(own, provider.settings(**oidc), public_url=PUBLIC, **(app or {}))

    return build
