"""The settings of the application, and the objects that features keep with it."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from flask import Flask, current_app
from sqlalchemy import Connection
from werkzeug.wrappers import Response

from chassis.settings import Settings

if TYPE_CHECKING:
    from chassis.security.identity import Kind
    from chassis.security.leaving import Part

__all__ = ["ConnectCheck", "HealthCheck", "JoinCheck", "People", "current_settings", "kept", "settings_of"]

KEY = "chassis"  # the only key of ours in Flask's `extensions`
T = TypeVar("T")

HealthCheck = Callable[[], str | None]
"""A function that returns why the service cannot serve, or None."""
ConnectCheck = Callable[[Any], None]
"""A function of a client's `auth` that raises AppError to refuse the connection."""
JoinCheck = Callable[[str], None]
"""A function of a room's name that raises AppError to refuse the client of this event."""
People = Callable[[Connection, Collection[str]], Mapping[str, str]]
"""A function (conn, names) that returns a mapping from those names that have an account to `good` or `disabled`."""


Gauge = tuple[str, str, list[str], Callable[[Any], Iterable[tuple[list[str], float]]]]
"""A metric that is read when it is scraped: name, help, labels, and a function that returns (labels, number)."""


@dataclass(frozen=True)
class Link:
    """An entry in a navigation bar."""

    label: str
    href: str


@dataclass(frozen=True)
class Person:
    """A person with an account, or one who was invited: when they signed in last, or when the invitation ends.

    `state` is `active`, `disabled` or `invited`; `href` is a page about them, or "". Times are seconds since 1970.
    """

    email: str
    name: str
    role: str
    state: str
    at: float | None
    href: str = ""


Directory = Callable[[str, int], Sequence["Person"]]
"""A function (text, limit) that returns people whose e-mail or name contains the text."""


@dataclass(frozen=True)
class Redaction:
    """A pattern of secrets to hide in logs: lines without the prefix are not searched."""

    prefix: str
    pattern: re.Pattern[str]


@dataclass(frozen=True)
class Retained:
    """Rows to delete by age: how many days they are kept (0 means forever), and how to delete some older ones.

    `delete(conn, before, limit)` deletes at most `limit` rows and returns how many; a smaller number ends the rule.
    """

    name: str
    days: Callable[[Settings], float]
    delete: Callable[[Connection, float, int], int]


@dataclass(frozen=True)
class Periodic:
    """Work that each worker repeats from its start to its stop."""

    name: str
    every_seconds: float
    work: Callable[[], None]


@dataclass
class Wiring:
    """One application's settings, and what was registered with it; features write to it by `chassis.hooks.Hooks`."""

    settings: Settings
    navigation: list[Link] = field(default_factory=list)
    admin_pages: list[Link] = field(default_factory=list)
    health_checks: dict[str, HealthCheck] = field(default_factory=dict)
    health_details: dict[str, HealthCheck] = field(default_factory=dict)  # told, but no reason to be unready
    draining: Callable[[], bool] = lambda: False
    identities: dict[str, Kind] = field(default_factory=dict)
    leaving: list[Part] = field(default_factory=list)
    people: People | None = None
    directory: Directory | None = None
    connect_checks: list[ConnectCheck] = field(default_factory=list)
    join_checks: list[JoinCheck] = field(default_factory=list)
    retained: dict[str, Retained] = field(default_factory=dict)
    seeds: dict[str, Callable[[], str]] = field(default_factory=dict)
    redactions: list[Redaction] = field(default_factory=list)
    upload_types: list[str] = field(default_factory=list)
    session_cookie: str = ""
    program_paths: list[str] = field(default_factory=list)
    background: list[Periodic] = field(default_factory=list)
    openapi_notes: list[str] = field(default_factory=list)
    openapi: dict[str, Any] | None = None  # the document, created when it is first requested
    asyncapi: dict[str, Any] | None = None  # that of the events, in the same way
    header: Callable[[], str] = str
    brand: Callable[[], Mapping[str, str]] = dict
    sign_in_url: Callable[[str], str] | None = None
    proof_page: Callable[[], Response | None] | None = None
    figures: list[Callable[[Mapping[str, float | None]], None]] = field(default_factory=list)
    gauges: list[Gauge] = field(default_factory=list)
    kept: dict[type[Any], Any] = field(default_factory=dict)


def wire(app: Flask, settings: Settings) -> Wiring:
    """Give an application its settings and an empty registry."""
    app.extensions[KEY] = wiring = Wiring(settings)
    return wiring


def wiring_of(app: Flask) -> Wiring:
    """Return an application's registry."""
    wiring: Wiring = app.extensions[KEY]
    return wiring


def current_wiring() -> Wiring:
    """Return the registry of the current application, in a request, event, job or command."""
    wiring: Wiring = current_app.extensions[KEY]
    return wiring


def settings_of(app: Flask) -> Settings:
    """Return an application's settings."""
    return wiring_of(app).settings


def current_settings() -> Settings:
    """Return the settings of the current application, in a request, event, job or command."""
    return current_wiring().settings


def keep(app: Flask, thing: object) -> None:
    """Store an object of a room or feature with the application, one of each class."""
    wiring_of(app).kept[type(thing)] = thing


def kept(kind: type[T]) -> T:
    """Return the stored object of a class from the current application."""
    thing: T = current_wiring().kept[kind]
    return thing
