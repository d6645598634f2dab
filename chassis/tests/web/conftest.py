"""A small application with what chassis.web adds, without the rest."""

from types import SimpleNamespace

import pytest
from flask import Flask, abort, request
from pydantic import SecretStr
from werkzeug.exceptions import ServiceUnavailable, TooManyRequests

from chassis import web
from chassis.errors import Conflict, Unavailable
from chassis.observability import requests
from chassis.settings import Settings
from chassis.wiring import wire


def add_failures(app: Flask) -> None:
    """Add a route for each way a request can fail, under /fail and under /api/fail."""

    def fail(how: str) -> str:
        if how == "crash":
            raise ValueError("hush: the inside of the matter")
        known = {
            "conflict": Conflict("It ended already.", code="already_ended"),
            "unavailable": Unavailable("The outside API rests."),
            "rest": ServiceUnavailable(retry_after=30),
            "slow-down": TooManyRequests(retry_after=7),
        }
        if how in known:
            raise known[how]
        abort(int(how))

    app.add_url_rule("/fail/<how>", "fail", fail)
    app.add_url_rule("/api/fail/<how>", "api_fail", fail)
    app.add_url_rule("/upload", "upload", lambda: str(len(request.get_data())), methods=["POST"])


@pytest.fixture
def small(tmp_path):
    """Return the application, its client, and the checks and flags that the tests turn."""
    settings = Settings(app_env="test", database_url=SecretStr(f"sqlite:///{tmp_path}/app.db"))
    app = Flask("app", root_path=web.__path__[0])
    app.config["MAX_CONTENT_LENGTH"] = 100
    checks: dict = {"database": lambda: None}
    stopping: list[bool] = []
    wiring = wire(app, settings)
    wiring.health_checks, wiring.draining = checks, lambda: bool(stopping)
    requests.install(app)
    web.install(app)
    add_failures(app)
    return SimpleNamespace(app=app, client=app.test_client(), checks=checks, stopping=stopping)
