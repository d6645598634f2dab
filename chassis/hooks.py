"""What a feature can register with the chassis: `register(hooks)` of each feature receives a `Hooks` object.

Declarations that need no application are imported from the room that owns them: job kinds (`@jobs.job`), socket events
(`@socketio.on`), quotas (`quotas.declare`), and the live details of jobs (`publish_details`). A feature's settings,
migrations and job kinds are needed before there is an application, so they are found by their place: settings.py,
migrations/, jobs.py and jobs_*.py in the feature's folder. So are the handlers in events.py and events_*.py.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click
from flask import Blueprint, Flask
from sqlalchemy import Connection
from werkzeug.wrappers import Response

from chassis.settings import Settings
from chassis.wiring import (
    ConnectCheck,
    HealthCheck,
    JoinCheck,
    Link,
    People,
    Periodic,
    Person,
    Redaction,
    Retained,
    Wiring,
    keep,
    wiring_of,
)

if TYPE_CHECKING:
    from chassis.security.identity import Kind
    from chassis.security.leaving import Part

__all__ = ["Hooks"]


@dataclass(frozen=True)
class Hooks:
    """What one feature can add to the application.

    `app` is the Flask application, for everything that Flask itself can register; `feature` is the name of the
    feature's folder, and `folder` its path.
    """

    app: Flask
    feature: str
    folder: Path

    @property
    def settings(self) -> Settings:
        """Return the settings; those of the feature are in `hooks.settings.section(ThumbnailSettings)`."""
        return self._wiring.settings

    @property
    def _wiring(self) -> Wiring:
        return wiring_of(self.app)

    # Pages

    def pages(self, *blueprints: Blueprint) -> None:
        """Add blueprints, and the feature's folders `static` and `templates` if they exist.

        Files in `static` are served at `/static/<feature>/`; a template links to one with
        `url_for("<feature>_files.static", filename="page.js")`. All templates share one namespace: put them
        into `templates/<feature>/`.
        """
        self._files()
        for blueprint in blueprints:
            self.app.register_blueprint(blueprint)

    def _files(self) -> None:
        name, static = f"{self.feature}_files", self.folder / "static"
        if name in self.app.blueprints:
            return
        if static.is_dir() and self.app.static_folder and (Path(self.app.static_folder) / self.feature).exists():
            raise ValueError(f"A feature cannot be called {self.feature}: it would hide the chassis' own static files.")
        files = Blueprint(
            name,
            self.app.import_name,
            template_folder=self.folder / "templates",
            static_folder=static if static.is_dir() else None,
            static_url_path=f"/static/{self.feature}" if static.is_dir() else None,
        )
        self.app.register_blueprint(files)

    def navigation(self, label: str, href: str) -> None:
        """Add an entry to the navigation of every page; `/` redirects to the first one."""
        self._wiring.navigation.append(Link(label, href))

    def admin_page(self, label: str, href: str, *, first: bool = False) -> None:
        """Add an entry to the navigation of the admin pages; `/admin` redirects to the first one."""
        pages = self._wiring.admin_pages
        pages.insert(0 if first else len(pages), Link(label, href))

    def header(self, html: Callable[[], str]) -> None:
        """Show HTML, such as the signed-in user, in the header of every page; the function is called for each page."""
        self._wiring.header = html

    def brand(self, brand: Callable[[], Mapping[str, str]]) -> None:
        """Set the name, the style sheet and the logo of every page.

        The function is called for each page and returns a mapping with any of `name`, `style` and `logo`; the last two
        are URLs.
        """
        self._wiring.brand = brand

    def sign_in_url(self, url: Callable[[str], str]) -> None:
        """Redirect visitors of pages that need an identity; `url(path)` returns where to sign in and come back."""
        self._wiring.sign_in_url = url

    def proof_page(self, page: Callable[[], Response | None]) -> None:
        """Answer requests that need a recent proof with a page that asks the person for one.

        Views ask for one by `@recently_proved` of `chassis.security`. The function returns None where the request
        cannot be continued after the question.
        """
        self._wiring.proof_page = page

    # The HTTP interface

    def openapi_note(self, text: str) -> None:
        """Add a paragraph of Markdown to the description of the API in `/api/openapi.json`."""
        self._wiring.openapi_notes.append(text)

    def program_path(self, prefix: str) -> None:
        """Answer errors of paths that begin with `prefix` as JSON, whatever the client accepts, as under `/api/`."""
        self._wiring.program_paths.append(prefix)

    def session_cookie(self, name: str) -> None:
        """Document a cookie as a way to authenticate in `/api/openapi.json`; give the name without `__Host-`."""
        self._wiring.session_cookie = name

    def upload_type(self, *media: str) -> None:
        """Accept uploads of additional media types, unless the operator has set `UPLOAD_TYPES`."""
        self._wiring.upload_types.extend(media)

    # People

    def identity(self, name: str, kind: Kind) -> None:
        """Add a way to authenticate, for both requests and sockets."""
        self._wiring.identities[name] = kind

    def connect_check(self, check: ConnectCheck) -> None:
        """Check every socket connection: called with the client's `auth`, raises AppError to refuse it."""
        self._wiring.connect_checks.append(check)

    def join_check(self, check: JoinCheck) -> None:
        """Check every join of a room: called with the room's name, raises AppError to refuse it."""
        self._wiring.join_checks.append(check)

    def leaving(self, *parts: Part) -> None:
        """Register what ends with a person whose account is disabled, such as links or addresses that it made."""
        self._wiring.leaving.extend(parts)

    def people(self, states: People) -> None:
        """Register which names are people's accounts.

        `states(conn, names)` returns a mapping from the names that have an account to `good` or `disabled`. Keys made
        by anyone else with an e-mail address are reported as stale.
        """
        self._wiring.people = states

    def directory(self, find: Callable[[str, int], Sequence[Person]]) -> None:
        """Register who has an account or an invitation, for admins to search.

        `find(text, limit)` returns people whose e-mail or name contains the text, invitations first.
        """
        self._wiring.directory = find

    # Operation

    def every(self, seconds: float, name: str, work: Callable[[], None]) -> None:
        """Call `work()` in each worker, in the application's context, with a pause of `seconds` between two calls.

        It is called once more when the worker stops. An exception is logged as `<name>_error`, and the calls continue.
        Commands and job workers do not call it. Let it be short: what takes long is a job.
        """
        self._wiring.background.append(Periodic(name, seconds, work))

    def health_check(self, name: str, check: HealthCheck) -> None:
        """Add a check to `/readyz` and `/healthz`; it returns why the service cannot serve, or None."""
        self._wiring.health_checks[name] = check

    def commands(self, *commands: click.Command) -> None:
        """Add commands or groups of commands to `flask`."""
        for command in commands:
            self.app.cli.add_command(command)

    def seed(self, make: Callable[[], str]) -> None:
        """Make demo data in `flask seed`, which production refuses.

        `make()` returns a sentence about what it made, and makes nothing if it is there already.
        """
        self._wiring.seeds[self.feature] = make

    def redact(self, prefix: str, pattern: re.Pattern[str]) -> None:
        """Hide secrets that match a pattern in logs, error reports and traces, except for their common prefix.

        Secrets in settings (`SecretStr`) and values with a name such as `token` are hidden without this.
        """
        self._wiring.redactions.append(Redaction(prefix, pattern))

    def retain(
        self, name: str, days: Callable[[Settings], float], delete: Callable[[Connection, float, int], int]
    ) -> None:
        """Delete rows by age in the job `retention`.

        `days(settings)` returns how long they are kept, 0 means forever; `delete(conn, before, limit)` deletes at most
        about `limit` rows that are older than `before`, in seconds since 1970, and returns how many.
        """
        self._wiring.retained[name] = Retained(name, days, delete)

    def figures(self, take: Callable[[Mapping[str, float | None]], None]) -> None:
        """Call `take` with the figures of each worker every five seconds, in a thread of the worker.

        The mapping has `at`, in seconds since 1970, and the names of `GET /api/admin/stats`; None was not observed.
        """
        self._wiring.figures.append(take)

    def gauge(
        self, name: str, text: str, labels: Sequence[str], read: Callable[[], Iterable[tuple[list[str], float]]]
    ) -> None:
        """Add a gauge to `/metrics`; `read()` returns (values of the labels, number) of all that exists now.

        It is called at each scrape, in one worker, so the numbers are those of the whole service. What it leaves out
        is not shown; a `prometheus_client.Gauge` keeps the last value of things that are gone.
        """
        self._wiring.gauges.append((name, text, list(labels), lambda _known: read()))

    def keep(self, thing: object) -> None:
        """Store one of the feature's own objects with the application; `chassis.wiring.kept(Class)` returns it."""
        keep(self.app, thing)
