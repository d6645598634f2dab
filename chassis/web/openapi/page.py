"""The document as the page shows it: each operation with its parameters, fields, answers, and a call to copy."""

import json
import shlex
from collections.abc import Iterator
from http import HTTPStatus
from itertools import groupby
from typing import Any

from chassis.web.openapi.describe import COMPONENTS, JSON, ErrorResponse
from chassis.web.openapi.fields import Field, example, fields, files

Schema = dict[str, Any]
KEY = "X-API-Key: $API_KEY"  # the shell inserts the key
FILE = "@FILE"  # curl sends the content of the file with this name
ERROR = {"$ref": COMPONENTS + ErrorResponse.__name__}


def groups(document: Schema, address: str) -> list[tuple[str, list[Schema]]]:
    """Return (tag, its operations) for the page; `address` is the service's base URL."""
    shown = [
        _operation(document, path, method, operation, address)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]
    shown.sort(key=lambda operation: operation["tag"])
    return [(tag, list(operations)) for tag, operations in groupby(shown, key=lambda operation: operation["tag"])]


def _operation(document: Schema, path: str, method: str, operation: Schema, address: str) -> Schema:
    body = operation.get("requestBody", {}).get("content", {})
    return {
        "id": operation["operationId"],
        "tag": operation["tags"][0],
        "method": method.upper(),
        "path": path,
        "summary": operation["summary"],
        "access": _access(operation["security"]),
        "parameters": [(p["in"], _parameter(document, p)) for p in operation["parameters"]],
        "bodies": [(media, _fields(document, content["schema"])) for media, content in body.items()],
        "answers": [_answer(document, status, answer) for status, answer in operation["responses"].items()],
        "curl": _curl(document, address + path, method.upper(), operation),
    }


def _access(security: list[dict[str, list[str]]]) -> str:
    """Return in words who may call an operation."""
    if not security:
        return "open to everyone"
    scopes = sorted({scope for way in security for names in way.values() for scope in names})
    needs = f"needs the scope {', '.join(scopes)}"
    return f"{needs}, which every visitor has" if {} in security else needs


def _parameter(document: Schema, parameter: Schema) -> Field:
    schema = parameter["schema"] | {"description": parameter.get("description", "")}
    wrapped = {"properties": {parameter["name"]: schema}, "required": [parameter["name"]] * parameter["required"]}
    return next(iter(fields(document, wrapped)))


def _fields(document: Schema, schema: Schema) -> list[Field]:
    return list(fields(document, schema))


def _answer(document: Schema, status: str, answer: Schema) -> Schema:
    media, content = next(iter(answer.get("content", {}).items()), ("", {"schema": {}}))
    return {
        "status": status,
        "phrase": HTTPStatus(int(status)).phrase,
        "text": answer["description"],
        "media": media,
        "error": int(status) >= 400,
        "usual": content["schema"] == ERROR,
        "headers": list(answer.get("headers", {})),
        "fields": _fields(document, content["schema"]),
    }


def _curl(document: Schema, url: str, method: str, operation: Schema) -> str:
    """Return a curl command to copy; the path's parameters are in capitals for the reader to replace."""
    for parameter in operation["parameters"]:
        if parameter["in"] == "path":
            url = url.replace("{" + parameter["name"] + "}", parameter["name"].upper())
    words = [["curl", *([] if method == "GET" else ["-X", method]), url]]
    if operation["security"] and {} not in operation["security"]:
        words.append(["-H", KEY])
    body = operation.get("requestBody", {}).get("content", {})
    if body:
        words += _sent(document, *next(iter(body.items())))
    return " \\\n  ".join(" ".join(_quoted(word) for word in line) for line in words)


def _sent(document: Schema, media: str, content: Schema) -> Iterator[list[str]]:
    value = example(document, content["schema"])
    uploads = files(document, content["schema"])
    if media == JSON:
        yield ["-H", f"Content-Type: {media}"]
        yield ["-d", json.dumps(value, ensure_ascii=False)]
        return
    for name, parts in value.items():
        for part in parts if isinstance(parts, list) else [parts]:
            given = part if name not in uploads or part.startswith("@") else FILE
            yield ["-F" if media == "multipart/form-data" else "--data-urlencode", f"{name}={given}"]


def _quoted(word: str) -> str:
    return f'"{word}"' if word == KEY else shlex.quote(word)
