"""The document as the page shows it: the events of clients and those of the server, with their fields."""

from typing import Any

from chassis.web.openapi.fields import Field, fields

Schema = dict[str, Any]


def events(document: Schema) -> tuple[list[Schema], list[Schema]]:
    """Return the events that clients send and those that the server sends."""
    shown = [(one["action"], _event(document, key, one)) for key, one in document["operations"].items()]
    taken, told = ([event for action, event in shown if action == wanted] for wanted in ("receive", "send"))
    return taken, told


def _event(document: Schema, key: str, operation: Schema) -> Schema:
    messages = document["components"]["messages"]
    answer = messages.get(f"{key}_answer", {}).get("payload", {}).get("oneOf", [{}])[0]
    return {
        "id": key,
        "name": messages[key]["name"],
        "summary": operation["summary"],
        "description": operation["description"],
        "fields": _fields(document, messages[key]["payload"]),
        "answer": _fields(document, answer),
    }


def _fields(document: Schema, schema: Schema) -> list[Field]:
    """Return the fields of a model, or of all models that it combines."""
    return [field for one in schema.get("allOf", [schema]) for field in fields(document, one)]
