"""The interface that OpenAI's clients expect."""

import json
from typing import Any

from flask import Blueprint, Response, jsonify
from pydantic_core import from_json

from app.features.gateway import gateway
from app.features.gateway.calls import Call
from app.features.gateway.forward import Forwarding
from app.features.gateway.messages import Prompt
from chassis.errors import BadRequest, NotFound
from chassis.security import bodies, budgets, identity
from chassis.security.budgets import Usage
from chassis.web import Answer, checked_fields, describe, json_text
from chassis.wiring import current_settings

blueprint = Blueprint("gateway_openai", __name__, url_prefix="/v1")
ANSWER = Answer(text="The backend's answer, or its events if `stream` is true.")
PASSED_ON = describe(body=Prompt, answers={200: ANSWER, 402: "A budget has no room.", 503: "No backend can answer."})
TYPES = {401: "authentication_error", 402: "insufficient_quota", 403: "permission_error", 429: "rate_limit_error"}
LEASE_SECONDS = 600.0


@blueprint.post("/chat/completions")
@bodies.takes({bodies.JSON: "max_json_bytes"})
@PASSED_ON
def chat() -> Response:
    """Pass a chat on to a backend."""
    return _forward("/chat/completions")


@blueprint.post("/completions")
@bodies.takes({bodies.JSON: "max_json_bytes"})
@PASSED_ON
def completions() -> Response:
    """Pass a prompt on to a backend."""
    return _forward("/completions")


@blueprint.post("/embeddings")
@bodies.takes({bodies.JSON: "max_json_bytes"})
@PASSED_ON
def embeddings() -> Response:
    """Pass texts on to a backend that embeds them."""
    return _forward("/embeddings")


@blueprint.get("/models")
@describe(answers={200: Answer(text="All models, as OpenAI lists them.")})
def models() -> Response:
    """List the models of all backends."""
    return jsonify(object="list", data=[_model(name) for name in gateway.current().pool.models()])


@blueprint.get("/models/<path:name>")
@describe(answers={200: Answer(text="The model, as OpenAI shows it."), 404: "There is no such model."})
def model(name: str) -> Response:
    """Show one model."""
    if name not in gateway.current().pool.models():
        raise NotFound(f"The model {name[:100]!r} does not exist here.", code="model_not_found")
    return jsonify(_model(name))


@blueprint.after_request
def in_openais_form(response: Response) -> Response:
    """Add to errors what OpenAI's have."""
    if response.status_code >= 400 and response.is_json and not response.is_streamed:
        found = response.get_json(silent=True)
        error = found.get("error") if isinstance(found, dict) else None
        if isinstance(error, dict) and "type" not in error:
            usual = "server_error" if response.status_code >= 500 else "invalid_request_error"
            error |= {"type": TYPES.get(response.status_code, usual), "param": None}
            response.set_data(json.dumps(found))
    return response


def _forward(path: str) -> Response:
    made = gateway.current()
    text = json_text()
    try:
        fields = from_json(text)
    except ValueError:
        raise BadRequest("The body is not valid JSON.", code="invalid_body") from None
    if not isinstance(fields, dict):
        raise BadRequest("The body must be a JSON object.", code="invalid_body")
    asked = checked_fields(Prompt, {name: fields[name] for name in ("model", "stream") if name in fields})
    streamed = bool(asked.stream)
    adds_usage = streamed and "stream_options" not in fields and made.settings.gateway_stream_usage
    if adds_usage:
        text = json.dumps(fields | {"stream_options": {"include_usage": True}})
    who, body = identity.current(), text.encode()
    most, lease = _most(path, fields, len(body)), made.settings.request_timeout_seconds + LEASE_SECONDS
    held = budgets.reserve(asked.model, most, lease_seconds=lease)
    call = Call(path, asked.model, body, streamed, who.owner, who.principal, held, adds_usage=adds_usage)
    return Forwarding(made, call).response()


def _most(path: str, fields: dict[str, Any], size: int) -> Usage:
    """Return the most that a request may use: a token has at least one byte, and each choice is charged."""
    if path == "/embeddings":
        return Usage(index_tokens=size)
    given = [fields.get(name) for name in ("max_completion_tokens", "max_tokens")]
    limit = next((value for value in given if isinstance(value, int) and value > 0), None)
    choices = max([1, *(value for name in ("n", "best_of") if isinstance(value := fields.get(name), int))])
    return Usage(size, (limit or current_settings().budget_output_tokens) * min(choices, 1_000))


def _model(name: str) -> dict[str, Any]:
    return {"id": name, "object": "model", "created": 0, "owned_by": "gateway"}
