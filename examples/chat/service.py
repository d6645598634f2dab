"""The actions on conversations: begin, ask, edit, retry, show, delete."""

import time
import uuid
from collections.abc import Iterator
from contextlib import suppress
from itertools import chain
from typing import Any

from sqlalchemy import Connection, RowMapping

from app.features.chat import events, store
from app.features.chat.answering import Answer
from app.features.chat.model import model
from app.features.chat.tables import conversations
from chassis.base import excerpt
from chassis.db import db
from chassis.errors import Conflict, NotFound
from chassis.realtime import Written
from chassis.security import identity, ownership
from chassis.upstream import Message
from chassis.web import joined, json_array

NEW = "New conversation"
TITLE_CHARACTERS = 60
MOST_MESSAGES = 400
WHAT = "conversation"


def create() -> dict[str, Any]:
    """Store an empty conversation, and return it."""
    now = time.time()
    row: Any = {"id": uuid.uuid4().hex, "owner": identity.current().owner, "title": NEW}
    row |= {"created_at": now, "changed_at": now}
    db.write(lambda conn: store.insert(conn, row))
    return store.shown(row)


def listing(page: int, per_page: int) -> dict[str, Any]:
    """Return a page of the conversations that the caller may list, the last changed first."""
    return ownership.listing(store.NEWEST_FIRST, conversations.c.owner, store.shown, page, per_page)


def found(conversation_id: str) -> RowMapping:
    """Return the row of a conversation that the caller may see; raise NotFound."""
    return ownership.seen(db.read(lambda conn: store.get(conn, conversation_id)), WHAT)


def get(conversation_id: str) -> dict[str, Any]:
    """Return a conversation that the caller may see with its messages; raise NotFound."""
    row = found(conversation_id)
    messages = db.read(lambda conn: store.thread(conn, conversation_id), unbounded=True)
    return {**store.shown(row), "messages": [store.shown_message(message) for message in messages]}


def ask(conversation_id: str, text: str) -> Answer:
    """Store a question and the beginning of its answer; raise Conflict while another one is written."""
    return _ask(_own(conversation_id), text, None)


def edit(conversation_id: str, message_id: str, text: str) -> Answer:
    """Replace a question and everything after it, and begin its answer; raise NotFound or Conflict."""
    return _ask(_own(conversation_id), text, message_id)


def retry(conversation_id: str) -> Answer:
    """Ask the last question again, in place of its answer; raise Conflict when there is none."""
    if not (thread := get(conversation_id)["messages"]):
        raise Conflict("Nothing has been asked yet.")
    question = thread[-2]  # the last message is its answer
    return edit(conversation_id, question["id"], question["text"])


def remove(conversation_id: str) -> None:
    """Delete a conversation; an answer that is being written ends."""
    _own(conversation_id)
    db.write(lambda conn: store.remove(conn, conversation_id))
    events.tell(conversation_id)


def exported() -> Iterator[str]:
    """Return all conversations of the caller as JSON, piece by piece."""
    owner = identity.current().owner
    ids = db.read(lambda conn: store.of_owner(conn, owner), unbounded=True)
    return joined(chain(('{"conversations": ',), json_array(_threads(ids)), ("}",)))


def _threads(ids: list[str]) -> Iterator[dict[str, Any]]:
    for conversation_id in ids:
        with suppress(NotFound):  # deleted meanwhile
            yield get(conversation_id)


def _own(conversation_id: str) -> RowMapping:
    return ownership.changeable(db.read(lambda conn: store.get(conn, conversation_id)), WHAT)


def _ask(conversation: RowMapping, text: str, instead_of: str | None) -> Answer:
    conversation_id, answer_id = conversation["id"], uuid.uuid4().hex
    model.check(input_bytes=len(text.encode()))

    def write(conn: Connection) -> list[RowMapping]:
        now = time.time()
        if not store.change(conn, conversation_id, changed_at=now):
            raise NotFound(f"There is no such {WHAT}.")
        before = _before(store.thread(conn, conversation_id), instead_of)
        if not before:
            store.change(conn, conversation_id, title=excerpt(text, TITLE_CHARACTERS))
        question = {"id": uuid.uuid4().hex, "role": store.USER, **Written(text, "done").as_dict()}
        answer = {"id": answer_id, "role": store.ASSISTANT, **Written.begun().as_dict()}
        new = enumerate((question, answer), start=len(before))
        store.add(conn, conversation_id, [{"position": place, "created_at": now, **one} for place, one in new])
        return before

    history: list[Message] = [{"role": one["role"], "content": one["text"]} for one in db.write(write) if one["text"]]
    events.tell(conversation_id)
    return Answer(answer_id, conversation_id, conversation["owner"], text, history)


def _before(thread: list[RowMapping], question_id: str | None) -> list[RowMapping]:
    """Return the messages before a question, or all; raise NotFound, or Conflict if nothing may be asked now."""
    if thread and Written.runs(thread[-1]):
        raise Conflict("An answer is being written: wait for its end, or stop it.", code="busy")
    if question_id is None and len(thread) >= MOST_MESSAGES:
        raise Conflict("This conversation is long enough: begin another one.", code="too_long")
    for place, message in enumerate(thread):
        if message["id"] == question_id and message["role"] == store.USER:
            return thread[:place]
    if question_id:
        raise NotFound("There is no such question.")
    return thread
