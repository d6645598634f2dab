"""JSON schemas in readable form: a flat list of fields with their types in words, and an example value."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

Schema = dict[str, Any]
DEEPEST = 6
LIMITS = {
    "minimum": "at least {}",
    "maximum": "at most {}",
    "exclusiveMinimum": "above {}",
    "exclusiveMaximum": "below {}",
    "minLength": "at least {} characters",
    "maxLength": "at most {} characters",
    "minItems": "at least {} items",
    "maxItems": "at most {} items",
    "pattern": "as {}",
    "default": "{} by default",
}
EXAMPLES: dict[str, Any] = {"string": "text", "integer": 1, "number": 1.5, "boolean": True, "null": None}


@dataclass(frozen=True)
class Field:
    """One line of a table of fields."""

    name: str
    type: str
    required: bool
    text: str


def fields(document: Schema, schema: Schema, prefix: str = "", depth: int = 0) -> Iterator[Field]:
    """Yield an object's fields, and nested ones as `outer.inner` and `list[].inner`."""
    if depth > DEEPEST:  # a recursive model
        return
    found = _resolved(document, schema)
    if found.get("type") == "array":
        yield from fields(document, found["items"], f"{prefix}[]", depth + 1)
    for name, inner in found.get("properties", {}).items():
        full = f"{prefix}.{name}" if prefix else name
        yield Field(full, _type(document, inner), name in found.get("required", ()), _text(document, inner))
        yield from fields(document, inner, full, depth + 1)


def example(document: Schema, schema: Schema) -> Any:
    """Return a valid value: the schema's own example, its default, or one built from its parts."""
    found = _resolved(document, schema)
    for given in (found.get("examples", []), found.get("enum", []), [found["const"]] if "const" in found else []):
        if given:
            return given[0]
    if "default" in found:
        return found["default"]
    if "anyOf" in found:
        return example(document, found["anyOf"][0])
    if found.get("type") == "array":
        return [example(document, found["items"])]
    if found.get("type") == "object":
        wanted = [name for name in found.get("properties", {}) if name in found.get("required", ())]
        return {name: example(document, found["properties"][name]) for name in wanted}
    return EXAMPLES.get(found.get("type", ""), "text")


def files(document: Schema, schema: Schema) -> set[str]:
    """Return the names of an object's fields that are files."""
    properties = _resolved(document, schema).get("properties", {})
    return {name for name, inner in properties.items() if "file" in _type(document, inner).split(" or ")}


def _resolved(document: Schema, schema: Schema) -> Schema:
    """Follow a reference; keywords next to it, such as a description, are kept."""
    while "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        beside = {key: value for key, value in schema.items() if key != "$ref"}
        schema = document["components"]["schemas"][name] | beside
    return schema


def _type(document: Schema, schema: Schema) -> str:
    found = _resolved(document, schema)
    if "anyOf" in found:
        return " or ".join(dict.fromkeys(_type(document, kind) for kind in found["anyOf"]))
    if "enum" in found:
        return " | ".join(str(value) for value in found["enum"])
    if "const" in found:
        return str(found["const"])
    if found.get("format") == "binary":
        return "file"
    kind = found.get("type", "any")
    if kind == "array":
        return f"list of {_type(document, found['items'])}"
    inner = found.get("additionalProperties")
    if kind == "object" and isinstance(inner, dict):
        return f"object of {_type(document, inner)}"
    return f"{kind} ({found['format']})" if "format" in found else str(kind)


def _text(document: Schema, schema: Schema) -> str:
    """Return the description and the limits as sentences."""
    found = _resolved(document, schema)
    limits = [words.format(found[name]) for name, words in LIMITS.items() if found.get(name) not in (None, "")]
    said = ", ".join(limits).replace("at least 1 characters", "not empty").replace("at least 1 items", "not empty")
    parts = [found.get("description", ""), f"{said[0].upper()}{said[1:]}." if said else ""]
    return " ".join(part for part in parts if part)
