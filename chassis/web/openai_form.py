"""Answers in OpenAI's form: errors, and what an API answered, for services that OpenAI's clients talk to."""

import json
from collections.abc import Callable, Iterator

from flask import Response

from chassis.realtime.streams import End, Source, Stopped, Unread
from chassis.upstream.assembly import END
from chassis.upstream.relayed import CLIENT_GONE, Relayed
from chassis.web.sse import sse

TYPES = {401: "authentication_error", 402: "insufficient_quota", 403: "permission_error", 429: "rate_limit_error"}


def openai_error(response: Response) -> Response:
    """Add to an error what OpenAI's have: a type and a param. Other responses stay as they are."""
    if response.status_code >= 400 and response.is_json and not response.is_streamed:
        found = response.get_json(silent=True)
        error = found.get("error") if isinstance(found, dict) else None
        if isinstance(error, dict) and "type" not in error:
            usual = "server_error" if response.status_code >= 500 else "invalid_request_error"
            error |= {"type": TYPES.get(response.status_code, usual), "param": None}
            response.set_data(json.dumps(found))
    return response


def openai_events(source: Source, *, unread: Unread | None = None) -> Response:
    """Return a response that sends each text of a source as the data of an event, as `sse` does.

    It ends with an end mark, or an error in OpenAI's form: a partial answer never looks like a whole one.
    """
    return sse(source, part=_part, end=_end, unread=unread)


def openai_answer(answer: Relayed, *, seen: Callable[[str], None], ended: Callable[[str], None]) -> Response:
    """Return a response that passes the answer of an API on: whole and as it is, or its events as they come.

    `seen(text)` is called with each piece, and `ended(outcome)` once: with `done`, `refused` if the API did not accept
    the request, or, for a stream, with `broken`, `client_gone`, or why it was not begun, such as `too_many_streams`.
    """
    if not answer.streams:
        seen(answer.body.decode("utf-8", "replace"))
        ended("done" if answer.status < 300 else "refused")
        return Response(answer.body, answer.status, mimetype=answer.kind)

    def events(stopped: Stopped) -> Iterator[str]:
        for data in answer.events(stopped):
            seen(data)
            yield data

    answer.on_end = ended
    return openai_events(events, unread=lambda end: answer.end_unread(end.code or CLIENT_GONE))


def _part(data: str) -> str:
    lines = "".join(f"data: {line}\n" for line in data.split("\n"))
    return f"{lines}\n"


def _end(end: End) -> str:
    if end.outcome == "done":
        return _part(END)
    error = {"message": end.message or "The answer was stopped.", "type": "server_error", "param": None}
    return _part(json.dumps({"error": error | {"code": end.code or "stopped"}}))
