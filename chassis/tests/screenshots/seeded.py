"""A running service with an admin, and with demo data when they are asked for."""

import contextlib
import re
from collections.abc import Iterator
from pathlib import Path

from app import create_app
from chassis.base.service import current
from chassis.db import db
from chassis.settings import Settings
from chassis.tests.conftest import Server, serving
from chassis.tests.patience import wait_until
from chassis.wiring import wiring_of

ADMIN = re.compile(r"sign in as (\S+) with the password (\S+),")
ENDED = {"succeeded", "failed", "cancelled", "interrupted"}


class Seeded:
    """The service, and what signs in to it."""

    def __init__(self, server: Server) -> None:
        self.server, self.url = server, server.url
        self.app = create_app(Settings(app_env="test", database_url=server.env["DATABASE_URL"]))
        self.email, self.password = "", ""
        self._seed(parts=True)

    def fill(self, browser_context) -> None:
        """Make the demo data, and wait for its jobs."""
        self._seed(parts=False)
        wait_until(lambda: self._jobs_ended(browser_context), "jobs of the demo data still run")

    def sign_in(self, page) -> None:
        """Sign in by the form, if the service has accounts."""
        if self.email:
            page.goto(f"{self.url}/sign-in")
            page.fill("[name=email]", self.email)
            page.fill("[name=password]", self.password)
            page.press("[name=password]", "Enter")
            page.wait_for_url(lambda url: not url.endswith("/sign-in"))

    def _seed(self, *, parts: bool) -> None:
        with self.app.app_context():
            for name, make in wiring_of(self.app).seeds.items():
                if (name in current().parts) == parts and (found := ADMIN.search(make())):
                    self.email, self.password = found.groups()

    def _jobs_ended(self, browser_context) -> bool:
        answer = browser_context.request.get(f"{self.url}/api/jobs?per_page=100").json()
        return all(job["state"] in ENDED for job in answer["items"])


@contextlib.contextmanager
def seeded(home: Path) -> Iterator[Seeded]:
    """Start the service on a database in a folder; its parts are in use."""
    by_part = {"accounts": {"REQUIRE_CLIENT_API_KEY": "true"}, "webhooks": {"WEBHOOKS": "true"}}
    env = {name: value for part in current().parts for name, value in by_part.get(part, {}).items()}
    with serving(home) as start:
        try:
            yield Seeded(start(**env))
        finally:
            db.close()
