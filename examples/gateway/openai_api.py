"""The interface that OpenAI's clients expect."""

from functools import partial

from flask import Blueprint, Response, jsonify, request

from app.features.gateway import gateway
from app.features.gateway.calls import Call
from app.features.gateway.gateway import Gateway
from chassis.errors import AppError
from chassis.security import bodies, budgets, identity
from chassis.upstream import Asked, Cancelled
from chassis.web import Answer, Prompt, describe, is_gone, openai_answer, openai_error, openai_request

PREFIX = "/v1"
blueprint = Blueprint("gateway_openai", __name__, url_prefix=PREFIX)
ANSWER = Answer(text="The backend's answer, or its events if `stream` is true.")
LEASE_SECONDS = 600.0  # beside the time of a call: it may wait and be repeated
blueprint.after_request(openai_error)


@blueprint.post("/chat/completions", endpoint="chat")
@blueprint.post("/completions", endpoint="completions")
@blueprint.post("/embeddings", endpoint="embeddings")
@bodies.takes({bodies.JSON: "max_json_bytes"})
@describe(body=Prompt, answers={200: ANSWER, 402: "A budget has no room.", 503: "No backend can answer."})
def ask() -> Response:
    """Pass a chat, a prompt, or texts to embed on to a backend."""
    made, wanted, who = gateway.current(), openai_request(), identity.current()
    adds_usage = wanted.lacks_usage and made.settings.gateway_stream_usage
    body = wanted.body(adds_usage=adds_usage)
    lease = made.settings.request_timeout_seconds + LEASE_SECONDS
    held = budgets.reserve(wanted.model, wanted.most(len(body)), lease_seconds=lease)
    asked = Asked(
        request.path.removeprefix(PREFIX),
        body,
        key=who.principal,
        having=partial(made.pool.having, wanted.model),
        cancelled=partial(is_gone, request.environ),
        hides_usage=adds_usage,
    )
    return _passed_on(made, Call(asked, wanted.model, who.owner, held, made.settings.gateway_log_contents))


@blueprint.get("/models")
@describe(answers={200: Answer(text="All models, as OpenAI lists them.")})
def models() -> Response:
    """List the models of all backends."""
    common = {"object": "model", "created": 0, "owned_by": "gateway"}
    return jsonify(object="list", data=[{"id": name, **common} for name in gateway.current().pool.models()])


def _passed_on(made: Gateway, call: Call) -> Response:
    """Return the answer of the first backend that does not fail; raise AppError."""
    try:
        relayed = made.relay.ask(call.asked, call.failed_over)
    except Cancelled:
        call.finish("client_gone", 499)
        return Response(status=499)
    except AppError as error:
        call.finish(error.code, error.status)
        raise
    except BaseException:
        call.finish("internal_error", 500)
        raise
    ended = partial(call.finish, status=relayed.status, relayed=relayed)
    response = openai_answer(relayed, seen=call.keep, ended=ended)
    response.headers["X-Backend"] = relayed.member.name
    return response
