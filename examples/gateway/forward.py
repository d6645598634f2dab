"""Passes a request on to a backend, and the answer back in OpenAI's form."""

from collections.abc import Iterator

from flask import Response

from app.features.gateway.calls import Call
from app.features.gateway.gateway import Gateway
from app.features.gateway.pool import Backend
from chassis.errors import AppError
from chassis.realtime import Stopped
from chassis.upstream import Cancelled, Relayed
from chassis.web import openai_events


def forward(gateway: Gateway, call: Call) -> Response:
    """Return the answer of the first backend that does not fail; raise AppError."""
    try:
        relayed = gateway.relay.ask(call.asked, call.failed_over)
    except Cancelled:
        call.finish("client_gone", 499)
        return Response(status=499)
    except AppError as error:
        call.finish(error.code, error.status)
        raise
    except BaseException:
        call.finish("internal_error", 500)
        raise
    response = _streamed(call, relayed) if relayed.streams else _whole(call, relayed)
    response.headers["X-Backend"] = relayed.member.name
    return response


def _whole(call: Call, relayed: Relayed[Backend]) -> Response:
    """Return an answer in one piece, as it is."""
    call.keep(relayed.body.decode("utf-8", "replace"))
    call.finish("done" if relayed.status < 300 else "refused", relayed.status, relayed)
    return Response(relayed.body, relayed.status, mimetype=relayed.kind)


def _streamed(call: Call, relayed: Relayed[Backend]) -> Response:
    """Return a response that passes the events on as they come."""

    def events(stopped: Stopped) -> Iterator[str]:
        for data in relayed.events(stopped):
            call.keep(data)
            yield data

    relayed.on_end = lambda outcome: call.finish(outcome, relayed.status, relayed)
    response = openai_events(events)
    response.call_on_close(relayed.end_unread)  # its client had gone, or there were too many streams
    return response
