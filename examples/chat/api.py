"""The HTTP interface of conversations."""

from flask import Blueprint, Response, jsonify

from app.features.chat import events, messages, service
from app.features.chat.answering import Answer as Begun
from chassis.realtime import stream
from chassis.security import request_rates
from chassis.web import Answer, Paging, describe, json_body, query_parameters, sse

blueprint = Blueprint("chat_api", __name__, url_prefix="/api/chat")

ID = "<string(length=32):conversation_id>"
MESSAGE = "<string(length=32):message_id>"
CREATED = Answer(messages.ConversationResponse, headers={"Location": "Its URL."})
EVENTS = Answer(text="The parts as events: `part`, then `end` or `error`.", media="text/event-stream")
FILE = {"Content-Disposition": "The file's name."}
REFUSALS = {
    402: "The monthly budget of the key or the account has no room for this.",
    409: "An answer is being written, or the conversation is too long.",
}


@blueprint.post("/conversations")
@describe(answers={201: CREATED})
def create() -> tuple[Response, int, dict[str, str]]:
    """Begin a conversation."""
    made = service.create()
    return jsonify(made), 201, {"Location": f"/api/chat/conversations/{made['id']}"}


@blueprint.get("/conversations")
@describe(query=Paging, answers={200: messages.ConversationPage})
def listing() -> Response:
    """Return a page of conversations, the last changed first."""
    asked = query_parameters(Paging)
    return jsonify(service.listing(asked.page, asked.per_page))


@blueprint.get("/export")
@request_rates.limit("30 per minute")
@describe(answers={200: Answer(messages.ExportResponse, headers=FILE)})
def export_all() -> Response:
    """Download all conversations of the caller."""
    name = {"Content-Disposition": 'attachment; filename="conversations.json"'}
    return Response(service.exported(), content_type="application/json", headers=name)


@blueprint.get(f"/conversations/{ID}")
@describe(answers={200: messages.ThreadResponse})
def show(conversation_id: str) -> Response:
    """Return a conversation with its messages."""
    return jsonify(service.get(conversation_id))


@blueprint.delete(f"/conversations/{ID}")
@describe(answers={204: "The conversation is deleted."})
def remove(conversation_id: str) -> tuple[str, int]:
    """Delete a conversation."""
    service.remove(conversation_id)
    return "", 204


@blueprint.post(f"/conversations/{ID}/messages")
@describe(body=messages.Question, answers={202: messages.Begun, **REFUSALS})
def ask(conversation_id: str) -> tuple[Response, int]:
    """Ask a question; the answer is streamed to those who follow the conversation."""
    return _streamed(service.ask(conversation_id, json_body(messages.Question).text))


@blueprint.put(f"/conversations/{ID}/messages/{MESSAGE}")
@describe(body=messages.Question, answers={202: messages.Begun, **REFUSALS})
def edit(conversation_id: str, message_id: str) -> tuple[Response, int]:
    """Replace a question and everything after it, and answer it."""
    return _streamed(service.edit(conversation_id, message_id, json_body(messages.Question).text))


@blueprint.post(f"/conversations/{ID}/retry")
@describe(answers={202: messages.Begun, **REFUSALS})
def retry(conversation_id: str) -> tuple[Response, int]:
    """Answer the last question again, in place of its answer."""
    return _streamed(service.retry(conversation_id))


@blueprint.post(f"/conversations/{ID}/answers")
@describe(body=messages.Question, answers={200: EVENTS, **REFUSALS})
def answers(conversation_id: str) -> Response:
    """Ask a question, and receive the answer as server-sent events; hang up to stop it."""
    return sse(service.ask(conversation_id, json_body(messages.Question).text).writing())


def _streamed(answer: Begun) -> tuple[Response, int]:
    room = events.room(answer.conversation_id)
    stream(room, answer.writing(), about={"message": answer.id})
    return jsonify(id=answer.id, conversation_id=answer.conversation_id, room=room), 202
