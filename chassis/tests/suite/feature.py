"""A pytest plugin with the fixtures of a feature's tests, which need no import; chassis/docs/features-reference.md."""

import itertools
import os
import time
from datetime import timedelta
from types import SimpleNamespace
from unittest.mock import patch

import pytest

from chassis.base.service import current
from chassis.tests.browser import page
from chassis.tests.conftest import serve, tool, wait_for
from chassis.tests.keys import ADMIN, CLIENT, GUARDED, OTHER
from chassis.tests.ordered import OrderedClient
from chassis.tests.patience import LIMIT_SECONDS
from chassis.tests.servers import new_database
from chassis.tests.services import fake_upstream

__all__ = ["fake_upstream", "page", "serve", "tool", "wait_for"]
PASSWORD = "a heron stands in the reeds"
NUMBERS = itertools.count(1)


@pytest.fixture
def client(tmp_path):
    """Flask's test client of the application in this process, with a database of the test; no job runs."""
    from app import create_app
    from chassis.db import db
    from chassis.settings import Settings

    app = create_app(Settings(app_env="test", database_url=new_database(tmp_path)))
    with app.app_context():
        yield app.test_client()
    db.close()


class Socket(OrderedClient):
    """A client that keeps the events it receives, in `heard` as (event, data)."""

    def __init__(self):
        super().__init__(reconnection=False, request_timeout=LIMIT_SECONDS)
        self.heard = []
        self.on("*", lambda event, data=None: self.heard.append((event, data)))

    def ask(self, event, data=None):
        """Send an event and return its acknowledgement."""
        return self.call(event, {} if data is None else data, timeout=LIMIT_SECONDS)

    def got(self, event):
        """Return the data of each event of that name."""
        return [data for name, data in self.heard if name == event]


@pytest.fixture
def socket():
    """Return a function that connects a socket to a server: `socket(server, key=...)`; see Socket."""
    opened = []

    def connect(server, key=None):
        one = Socket()
        opened.append(one)
        auth = {"key": key} if key else None
        one.connect(server.url, transports=["websocket"], wait_timeout=LIMIT_SECONDS, auth=auth)
        return one

    yield connect
    for one in opened:
        one.disconnect()


@pytest.fixture(scope="session")
def keys():
    """The API keys of `guarded`, by role: `keys.admin`, and `keys.client` and `keys.other`, two usual clients."""
    return SimpleNamespace(admin=ADMIN, client=CLIENT, other=OTHER)


@pytest.fixture
def guarded(shared_with):
    """A server that requires a key or a sign-in."""
    return shared_with(**GUARDED)


class Person:
    """Somebody with an account."""

    def __init__(self, server, role):
        self.server, self.email, self.password = server, f"{role}{next(NUMBERS)}.{os.getpid()}@example.org", PASSWORD

    def sign_in(self, page):
        """Sign in with a browser."""
        page.goto(f"{self.server.url}/sign-in")
        page.fill("#email", self.email)
        page.fill("#password", self.password)
        page.click("main button")
        page.wait_for_url(lambda url: "/sign-in" not in url)


@pytest.fixture
def account():
    """Return a function that creates an account on a server: `account(guarded, "admin")`; see Person."""
    if "accounts" not in current().parts:
        pytest.skip("the service has no accounts")
    from app import create_app
    from chassis.db import db
    from chassis.parts.accounts import joining

    def create(server, role="user"):
        person = Person(server, role)
        with patch.dict(os.environ, server.env, clear=True), create_app().app_context():
            joining.create(person.email, role, person.password)
        db.close()
        return person

    return create


class FrozenTime:
    """What `time.time()` returns in this process."""

    def __init__(self):
        self.now = time.time()

    def move(self, **amount):
        """Go on by an amount of time: `move(days=3)`."""
        self.now += timedelta(**amount).total_seconds()


@pytest.fixture
def frozen_time(monkeypatch):
    """A clock that stands still until the test moves it; servers in other processes do not see it."""
    frozen = FrozenTime()
    monkeypatch.setattr(time, "time", lambda: frozen.now)
    return frozen
