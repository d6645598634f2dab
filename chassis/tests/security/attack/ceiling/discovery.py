"""Finds the routes, with the fields that the API's description names and those that views look for."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from flask import Flask

from chassis.extensions import socketio
from chassis.security import bodies
from chassis.tests.security.attack.ceiling import events
from chassis.tests.security.attack.ceiling.asked import Asked
from chassis.tests.security.attack.ceiling.routes import FILES, FORM, JSON, METHODS, NOWHERE, Route, plain
from chassis.tests.security.attack.ceiling.tries import Try
from chassis.tests.security.attack.ceiling.visitor import Visitor
from chassis.tests.servers import ROOT
from chassis.web.openapi.operations import PART
from chassis.web.openapi.page import example, fields
from chassis.wiring import settings_of

MOST_TRIED, FEW_TRIED = 2_000_000, 300_000  # bytes
ROUNDS = 4  # a view that looks for one field after the other


def rows(app: Flask) -> list[str]:
    """Return each method of each rule, as the table names it."""
    return [f"{method} {rule}" for rule, method, _ in _rules(app)]


def of_features(app: Flask) -> set[str]:
    """Return the rows of the service's own features, of which the chassis' document says nothing."""
    blueprints = {
        name
        for name, one in app.blueprints.items()
        if one.import_name.startswith("app.") or Path(one.static_folder or ROOT).is_relative_to(ROOT / "app")
    }
    routes = [f"{method} {rule}" for rule, method, end in _rules(app) if end.rpartition(".")[0] in blueprints]
    return {*routes, *(f"socket event {name}" for name in events.of_features(socketio.server))}


def discover(visitor: Visitor) -> None:
    """Ask every route, until nothing new is looked for."""
    asked = visitor.asked
    for _ in range(ROUNDS):
        before = _size(asked)
        for route in routes(visitor):
            asked.row = route.row
            for one in plain(route, visitor.attacker()):
                visitor.learn(one)
        if _size(asked) == before:
            break


def _size(asked: Asked) -> int:
    return sum(map(len, asked.fields.values())) + sum(map(len, asked.models.values()))


def _rules(app: Flask) -> Iterator[tuple[str, str, str]]:
    for rule in app.url_map.iter_rules():
        for method in METHODS:
            if method in (rule.methods or ()):
                yield rule.rule, method, rule.endpoint


def routes(visitor: Visitor) -> list[Route]:
    """Return the routes with what is known of each by now."""
    return list(_routes(visitor))


def _routes(visitor: Visitor) -> Iterator[Route]:
    document = json.loads(visitor.ask(Try("", "", "GET", b"/api/openapi.json", visitor.headers))[2])
    document = document if "paths" in document else {"paths": {}}
    for rule, method, endpoint in [*_rules(visitor.app), (NOWHERE, "POST", "")]:
        row = f"{method} {rule}"
        names, body = _described(document, rule, method)
        models = {name: "a" for model in visitor.asked.models[row] for name in model.model_fields}
        named = dict.fromkeys([*names, *visitor.asked.fields[row]])
        most = _most(visitor, endpoint)
        yield Route(rule, method, most, tuple(named), {**body, **models})


def _most(visitor: Visitor, endpoint: str) -> dict[str, int]:
    """Return how large a body may be, by content type."""
    settings, view = settings_of(visitor.app), visitor.app.view_functions.get(endpoint)
    larger: bodies.Larger = getattr(view, bodies.LARGER, bodies.USUAL)
    sizes = {kind: size if isinstance(size, int) else getattr(settings, size) for kind, size in larger.sizes.items()}
    most = FEW_TRIED if visitor.few else MOST_TRIED
    return {"": settings.max_body_bytes} | {kind: min(size, most) for kind, size in sizes.items()}


def _described(document: dict[str, Any], rule: str, method: str) -> tuple[list[str], dict[str, Any]]:
    """Return names of parameters and forms' fields, and a right value for each field of a JSON body."""
    path = PART.sub(lambda part: "{" + part["name"] + "}", rule)
    operation = document["paths"].get(path, {}).get(method.lower(), {})
    names = [one["name"] for one in operation.get("parameters", ()) if one["in"] == "query"]
    content = operation.get("requestBody", {}).get("content", {})
    of = {media: [one.name for one in fields(document, content[media]["schema"])] for media in content}
    names += [name for media in (FORM, FILES) for name in of.get(media, ()) if name.isidentifier()]
    if JSON not in content:
        return names, {}
    right = {name: None for name in of[JSON] if name.isidentifier()}
    return names, right | example(document, content[JSON]["schema"])
