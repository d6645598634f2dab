"""Every described route as an operation: its path, parameters, scope, and the answers common to all routes."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from flask import Flask

from chassis.security.guard import ADMIN_PATHS, NEEDED, NOTHING, READING
from chassis.security.identity import ADMIN, READ, SUBMIT
from chassis.web.errors import WORDS
from chassis.web.openapi.describe import Answer, Description, ErrorResponse, described

API = "/api/"
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
PART = re.compile(r"<(?:(?P<kind>\w+)(?:\((?:length=(?P<length>\d+))?[^)]*\))?:)?(?P<name>\w+)>")
TOO_LONG = Answer(text="The URL is longer than the server accepts.", media="text/html")
KINDS: dict[str | None, dict[str, Any]] = {
    "int": {"type": "integer", "minimum": 0},
    "float": {"type": "number"},
    "uuid": {"type": "string", "format": "uuid"},
}


@dataclass(frozen=True)
class Operation:
    """One method of one described route."""

    rule: str
    method: str
    endpoint: str
    scope: str
    description: Description

    @property
    def path(self) -> str:
        """Return the rule in OpenAPI's form, with {name}."""
        return PART.sub(lambda part: "{" + part["name"] + "}", self.rule)

    @property
    def id(self) -> str:
        return self.endpoint if self.method in ("GET", "POST") else f"{self.endpoint}.{self.method.lower()}"

    @property
    def tag(self) -> str:
        """Return the operation's group: the blueprint, or the first part of the path after /api."""
        blueprint = self.endpoint.rpartition(".")[0].removesuffix("_api")
        return blueprint or self.rule.removeprefix(API).strip("/").partition("/")[0]

    def path_parameters(self) -> dict[str, dict[str, Any]]:
        """Return the schema of each part of the path."""
        return {part["name"]: KINDS.get(part["kind"], _text(part["length"])) for part in PART.finditer(self.rule)}

    def answers(self) -> Mapping[int, Answer]:
        """Return the route's own answers and the errors that all such routes have, by status."""
        shared = {status: Answer(ErrorResponse, WORDS[status][1]) for status in self._shared()}
        if self.description.query or self.path_parameters():
            shared[414] = TOO_LONG  # from the server itself, which does not render our errors
        return dict(sorted((shared | dict(self.description.answers)).items()))

    def _shared(self) -> Iterator[int]:
        asked, parts = self.description, self.path_parameters()
        if asked.query or asked.body or parts:
            yield 400
        if self.scope != NOTHING:
            yield 401
        if self.scope not in (NOTHING, READ) or self.method not in READING:
            yield 403
        if parts:
            yield 404
        if asked.body or self.method not in READING:
            yield 413
        if asked.body:
            yield 415
        if self.rule.startswith(API):
            yield from (429, 500, 503)


def operations(app: Flask) -> Iterator[Operation]:
    """Yield all described routes, in the order of their registration."""
    for rule in app.url_map.iter_rules():
        view = app.view_functions[rule.endpoint]
        description = described(view)
        for method in METHODS if description else ():
            if description and method in (rule.methods or ()):
                scope = _scope(view, rule.rule, method)
                yield Operation(rule.rule, method, rule.endpoint, scope, description)


def _text(length: str | None) -> dict[str, Any]:
    limits = {"minLength": int(length), "maxLength": int(length)} if length else {"minLength": 1}
    return {"type": "string"} | limits


def _scope(view: object, path: str, method: str) -> str:
    """Return the scope that chassis.security.guard requires."""
    if path.startswith(ADMIN_PATHS):
        return ADMIN
    return str(getattr(view, NEEDED, READ if method in READING else SUBMIT))
