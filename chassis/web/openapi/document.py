"""The OpenAPI 3.1 document, generated from the described routes and their pydantic models."""

from collections.abc import Iterable
from http import HTTPStatus

from flask import Flask
from pydantic import BaseModel

from chassis.base.service import current as service
from chassis.security import identity
from chassis.security.guard import NOTHING
from chassis.web.openapi.describe import COMPONENTS, Answer
from chassis.web.openapi.operations import Operation, operations
from chassis.web.openapi.schemas import GIVEN, TAKEN, Schema, schemas
from chassis.wiring import settings_of, wiring_of

SESSION = "session"
SCHEMES: dict[str, Schema] = {
    "key": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
    "bearer": {"type": "http", "scheme": "bearer", "description": "The same key, as Authorization: Bearer KEY."},
}
COOKIE = {
    "type": "apiKey",
    "in": "cookie",
    "description": "A signed-in session; over TLS the name starts with __Host-.",
}
RETRY_AFTER = {"description": "Seconds to wait.", "schema": {"type": "integer"}}


def document(app: Flask, title: str) -> Schema:
    """Return the description of all described routes with this deployment's answers."""
    found = list(operations(app))
    writer, notes = _Writer(app, found), wiring_of(app).openapi_notes
    paths: dict[str, Schema] = {}
    for operation in found:
        paths.setdefault(operation.path, {})[operation.method.lower()] = writer.operation(operation)
    return {
        "openapi": "3.1.0",
        "info": {"title": title, "version": service().version} | ({"description": "\n\n".join(notes)} if notes else {}),
        "paths": paths,
        "components": {"schemas": writer.components(), "securitySchemes": writer.schemes},
    }


class _Writer:
    """Collects the schemas of all models, so that each appears once in the document."""

    def __init__(self, app: Flask, found: list[Operation]) -> None:
        self._visitor = identity.anonymous(settings_of(app), "")
        cookie = wiring_of(app).session_cookie
        self.schemes = SCHEMES | ({SESSION: {**COOKIE, "name": cookie}} if cookie else {})
        self._queries = [operation.description.query for operation in found if operation.description.query]
        taken = {model for operation in found for model in operation.description.body.values()}
        given = {answer.model for operation in found for answer in operation.answers().values() if answer.model}
        self._refs, self._definitions = schemas(given, {*taken, *self._queries})

    def components(self) -> dict[str, Schema]:
        """Return the schemas by name, without those of queries, which are written as parameters."""
        asked = {self._name(model) for model in self._queries}
        return {name: schema for name, schema in sorted(self._definitions.items()) if name not in asked}

    def operation(self, operation: Operation) -> Schema:
        """Return the description of one method of one path."""
        written: Schema = {
            "operationId": operation.id,
            "summary": operation.description.summary,
            "tags": [operation.tag],
            "security": self._security(operation.scope),
            "parameters": [*_path_parameters(operation), *self._query_parameters(operation.description.query)],
        }
        if operation.description.body:
            written["requestBody"] = self._body(operation)
        written["responses"] = {str(s): self._answer(s, answer) for s, answer in operation.answers().items()}
        return written

    def _security(self, scope: str) -> list[dict[str, list[str]]]:
        """Return the accepted security schemes; an empty one means that anonymous requests are accepted."""
        if scope == NOTHING:
            return []
        known = [{name: [] if name == SESSION else [scope]} for name in self.schemes]
        return [{}, *known] if self._visitor.may(scope) else known

    def _query_parameters(self, model: type[BaseModel] | None) -> Iterable[Schema]:
        schema = self._definitions[self._name(model)] if model else {}
        for name, field in schema.get("properties", {}).items():
            plain = _without_null(field)
            parameter = {"name": name, "in": "query", "required": name in schema.get("required", ())}
            yield parameter | _described(plain) | {"schema": plain}

    def _body(self, operation: Operation) -> Schema:
        bodies = operation.description.body
        content = {media: {"schema": self._refs[model, TAKEN]} for media, model in bodies.items()}
        return {"required": any(_required(model) for model in bodies.values()), "content": content}

    def _answer(self, status: int, answer: Answer) -> Schema:
        schema = self._refs[answer.model, GIVEN] if answer.model else {"type": "string"}
        text = answer.text or (answer.model and answer.model.__doc__) or HTTPStatus(status).phrase
        written: Schema = {"description": text}
        written |= {"content": {answer.media: {"schema": schema}}} if answer.media else {}
        headers = {name: {"description": says, "schema": {"type": "string"}} for name, says in answer.headers.items()}
        headers |= {"Retry-After": RETRY_AFTER} if status == 429 else {}
        return written | ({"headers": headers} if headers else {})

    def _name(self, model: type[BaseModel]) -> str:
        return str(self._refs[model, TAKEN]["$ref"]).removeprefix(COMPONENTS)


def _path_parameters(operation: Operation) -> Iterable[Schema]:
    for name, schema in operation.path_parameters().items():
        yield {"name": name, "in": "path", "required": True, "schema": schema}


def _required(model: type[BaseModel]) -> bool:
    return any(field.is_required() for field in model.model_fields.values())


def _without_null(schema: Schema) -> Schema:
    """Return the schema without null: a URL leaves a value out instead."""
    plain = {name: value for name, value in schema.items() if name not in ("anyOf", "title", "default")}
    kinds = [kind for kind in schema.get("anyOf", []) if kind != {"type": "null"}]
    if schema.get("default") is not None:
        plain["default"] = schema["default"]
    return plain | (kinds[0] if len(kinds) == 1 else {"anyOf": kinds} if kinds else {})


def _described(schema: Schema) -> Schema:
    """Take the description out of a schema, since a parameter has its own field for it."""
    text = schema.pop("description", "")
    return {"description": text} if text else {}
