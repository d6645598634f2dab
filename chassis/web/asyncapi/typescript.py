"""Types for TypeScript from the AsyncAPI document, in the form that socket.io-client takes them."""

import json
import re
from typing import Any

from chassis.web.openapi.describe import COMPONENTS

Schema = dict[str, Any]
NOT_IN_IDENTIFIERS = re.compile(r"\W+")
PLAIN = {"string": "string", "integer": "number", "number": "number", "boolean": "boolean", "null": "null"}
HEAD = """// The events of {title} {version}. `flask events types` writes this file.
// Use: const socket: Socket<ServerToClientEvents, ClientToServerEvents> = io(url);
"""


def types(document: Schema) -> str:
    """Return the declarations: an interface for each model, and the maps of events of the main namespace."""
    messages, schemas = document["components"]["messages"], document["components"]["schemas"]
    operations = [one for one in document["operations"].items() if one[1]["channel"]["$ref"] == "#/channels/main"]
    given = [_given(messages[key]) for key, one in operations if one["action"] == "send"]
    taken = [_taken(messages[key], messages[f"{key}_answer"]) for key, one in operations if one["action"] == "receive"]
    parts = [
        HEAD.format(**document["info"]),
        *(_declared(name, schema) for name, schema in sorted(schemas.items())),
        _map("ServerToClientEvents", given),
        _map("ClientToServerEvents", taken),
    ]
    return "\n".join(parts)


def _map(name: str, lines: list[str]) -> str:
    return "\n".join([f"export interface {name} {{", *lines, "}", ""])


def _given(message: Schema) -> str:
    return f"  {json.dumps(message['name'])}: (data: {_type(message['payload'])}) => void;"


def _taken(message: Schema, answer: Schema) -> str:
    asked = f"message: {_type(message['payload'])}, " if message["payload"] else ""
    return f"  {json.dumps(message['name'])}: ({asked}answer: (answer: {_type(answer['payload'])}) => void) => void;"


def _declared(name: str, schema: Schema) -> str:
    said = schema.get("description", "").partition("\n")[0]
    return (f"/** {said} */\n" if said else "") + f"export type {_identifier(name)} = {_type(schema)};\n"


def _type(schema: Schema) -> str:
    """Return a schema as a type; what a schema leaves open is `unknown`."""
    if "$ref" in schema:
        return _identifier(schema["$ref"].removeprefix(COMPONENTS))
    if "const" in schema:
        return json.dumps(schema["const"])
    if "enum" in schema:
        return " | ".join(json.dumps(value) for value in schema["enum"])
    for word, sign in (("anyOf", " | "), ("oneOf", " | "), ("allOf", " & ")):
        if word in schema:
            return "(" + sign.join(_type(one) for one in schema[word]) + ")"
    if schema.get("type") == "array":
        return f"Array<{_type(schema.get('items', {}))}>"
    if schema.get("type") == "object":
        return _object(schema)
    return PLAIN.get(schema.get("type", ""), "unknown")


def _object(schema: Schema) -> str:
    wanted, inner = schema.get("required", ()), schema.get("additionalProperties")
    fields = [
        f"{json.dumps(name)}{'' if name in wanted else '?'}: {_type(one)}"
        for name, one in schema.get("properties", {}).items()
    ]
    if fields or inner is False:
        return "{ " + "; ".join(fields) + " }"
    return f"Record<string, {_type(inner) if isinstance(inner, dict) else 'unknown'}>"


def _identifier(name: str) -> str:
    return NOT_IN_IDENTIFIERS.sub("", name)
