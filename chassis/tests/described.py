"""Answers of a server against its own description: a field or a status that it does not know is a failure."""

import json
import re
from pathlib import Path

from jsonschema import Draft202012Validator

from chassis.tests.conftest import ASYNC_MODE, SERVE, Server, free_port


def started(folder: Path, **env: str) -> Server:
    """Return a server where nothing runs, so that what is asked finds the same at each run; a module shares it."""
    place = {"PORT": str(free_port()), "DATABASE_URL": f"sqlite:///{folder}/app.db", "ASYNC_MODE": ASYNC_MODE}
    quiet = {"APP_ENV": "test", "JOBS_EMBEDDED": "false", "LOG_FORMAT": "json"}
    return Server(folder, SERVE, {**place, **quiet, **env}).wait_ready()


class Described:
    """A server's description, and requests whose answers are checked against it."""

    def __init__(self, server: Server, headers: dict[str, str] | None = None) -> None:
        self.server, self.headers = server, headers or {}
        self.document = json.loads(server.get("/api/openapi.json", self.headers)[1])
        self.schemas = {name: strict(schema) for name, schema in self.document["components"]["schemas"].items()}

    def ask(self, method: str, path: str, body: object = None, **headers: str) -> tuple[int, str]:
        """Send a request, and return the status and text of an answer that is as it is described."""
        data = None if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        sent = {"Content-Type": "application/json"} if data is not None else {}
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        status, text = self.server.request(method, path, data, {**sent, **self.headers, **named})
        self.check(method, path, status, text)
        return status, text

    def json(self, method: str, path: str, body: object = None, **headers: str) -> tuple[int, dict]:
        """Do the same for an answer that is JSON."""
        status, text = self.ask(method, path, body, **headers)
        return status, json.loads(text)

    def check(self, method: str, path: str, status: int, text: str) -> None:
        known = self.operation(method, path)["responses"]
        assert str(status) in known, f"{method} {path} answered {status}, which is not described: {text}"
        if "content" not in known[str(status)]:
            assert text == "", f"{method} {path} answered with a body, and is described as one without"
            return
        ((media, content),) = known[str(status)]["content"].items()
        if media == "application/json":
            schema = {**content["schema"], "components": {"schemas": self.schemas}}
            Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER).validate(json.loads(text))

    def operation(self, method: str, path: str) -> dict:
        """Return what is said of a method of a concrete path; one without parameters comes first."""
        plain = path.partition("?")[0]
        for template in sorted(self.document["paths"], key=lambda template: template.count("{")):
            pattern = re.sub(r"\\{\w+\\}", "[^/]+", re.escape(template))
            if re.fullmatch(pattern, plain) and method.lower() in self.document["paths"][template]:
                return self.document["paths"][template][method.lower()]
        raise AssertionError(f"{method} {path} is not described")


def strict(schema: dict) -> dict:
    """Return the schema of an object without its leave to hold more than it names."""
    return {"additionalProperties": False, **schema} if "properties" in schema else schema
