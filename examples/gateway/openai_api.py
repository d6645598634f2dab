"""The interface that OpenAI's clients expect."""

import json
from functools import partial
from typing import Any

from flask import Blueprint, Response, jsonify, request
from pydantic_core import from_json

from app.features.gateway import gateway
from app.features.gateway.calls import Call
from app.features.gateway.forward import forward
from app.features.gateway.messages import Prompt
from app.features.gateway.pool import Backend
from chassis.errors import BadRequest
from chassis.security import bodies, budgets, identity
from chassis.security.budgets import Usage
from chassis.upstream import Asked
from chassis.web import Answer, checked_fields, describe, is_gone, json_text, openai_error
from chassis.wiring import current_settings

PREFIX = "/v1"
blueprint = Blueprint("gateway_openai", __name__, url_prefix=PREFIX)
ANSWER = Answer(text="The backend's answer, or its events if `stream` is true.")
LEASE_SECONDS = 600.0
blueprint.after_request(openai_error)


@blueprint.post("/chat/completions", endpoint="chat")
@blueprint.post("/completions", endpoint="completions")
@blueprint.post("/embeddings", endpoint="embeddings")
@bodies.takes({bodies.JSON: "max_json_bytes"})
@describe(body=Prompt, answers={200: ANSWER, 402: "A budget has no room.", 503: "No backend can answer."})
def ask() -> Response:
    """Pass a chat, a prompt, or texts to embed on to a backend."""
    made, path, text = gateway.current(), request.path.removeprefix(PREFIX), json_text()
    try:
        fields = from_json(text)
    except ValueError:
        raise BadRequest("The body is not valid JSON.", code="invalid_body") from None
    if not isinstance(fields, dict):
        raise BadRequest("The body must be a JSON object.", code="invalid_body")
    prompt = checked_fields(Prompt, {name: fields[name] for name in ("model", "stream") if name in fields})
    adds_usage = bool(prompt.stream) and "stream_options" not in fields and made.settings.gateway_stream_usage
    if adds_usage:
        text = json.dumps(fields | {"stream_options": {"include_usage": True}})
    who, body, having = identity.current(), text.encode(), partial(made.pool.having, prompt.model)
    lease = made.settings.request_timeout_seconds + LEASE_SECONDS
    held = budgets.reserve(prompt.model, _most(path, fields, len(body)), lease_seconds=lease)
    gone = partial(is_gone, request.environ)
    asked: Asked[Backend] = Asked(path, body, who.principal, having, gone, hides_usage=adds_usage)
    return forward(made, Call(asked, prompt.model, who.owner, held, made.settings.gateway_log_contents))


@blueprint.get("/models")
@describe(answers={200: Answer(text="All models, as OpenAI lists them.")})
def models() -> Response:
    """List the models of all backends."""
    common = {"object": "model", "created": 0, "owned_by": "gateway"}
    return jsonify(object="list", data=[{"id": name, **common} for name in gateway.current().pool.models()])


def _most(path: str, fields: dict[str, Any], size: int) -> Usage:
    """Return the most that a request may use: a token has at least one byte, and each choice is charged."""
    if path == "/embeddings":
        return Usage(index_tokens=size)
    given = [fields.get(name) for name in ("max_completion_tokens", "max_tokens")]
    limit = next((value for value in given if isinstance(value, int) and value > 0), None)
    choices = max([1, *(value for name in ("n", "best_of") if isinstance(value := fields.get(name), int))])
    return Usage(size, (limit or current_settings().budget_output_tokens) * min(choices, 1_000))
