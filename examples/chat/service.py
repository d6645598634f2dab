"""The actions on conversations: begin, ask, edit, retry, show, delete."""

import time
import uuid
from typing import Any

from sqlalchemy import Connection, RowMapping

from app.features.chat import live, store
from app.features.chat.answering import LEASE_SECONDS, Answer
from app.features.chat.model import model
from chassis.base import excerpt
from chassis.db import db
from chassis.errors import Conflict, NotFound
from chassis.security import identity, ownership
from chassis.upstream import Message

NEW = "New conversation"
TITLE_CHARACTERS = 60
MOST_MESSAGES = 400
BUSY = "An answer is being written: wait for its end, or stop it."
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
    owner, offset = ownership.seen_owner(), (page - 1) * per_page
    rows, total = db.read(lambda conn: store.listing(conn, owner, limit=per_page, offset=offset))
    return {"items": [store.shown(row) for row in rows], "page": page, "per_page": per_page, "total": total}


def found(conversation_id: str) -> RowMapping:
    """Return the row of a conversation that the caller may see; raise NotFound."""
    row = db.read(lambda conn: store.get(conn, conversation_id))
    if row is None:
        raise NotFound(f"There is no such {WHAT}.")
    ownership.check_seen(row["owner"], WHAT)
    return row


def get(conversation_id: str) -> dict[str, Any]:
    """Return a conversation that the caller may see with its messages; raise NotFound."""
    row, now = found(conversation_id), time.time()
    messages = db.read(lambda conn: store.thread(conn, conversation_id), unbounded=True)
    return {**store.shown(row), "messages": [store.shown_message(message, row, now) for message in messages]}


def ask(conversation_id: str, text: str) -> Answer:
    """Store a question and the beginning of its answer."""
    return _ask(_own(conversation_id), text, None)


def edit(conversation_id: str, message_id: str, text: str) -> Answer:
    """Replace a question and everything after it, and begin its answer; raise NotFound."""
    row = _own(conversation_id)
    for question in _questions(conversation_id):
        if question["id"] == message_id:
            return _ask(row, text, question["position"])
    raise NotFound("There is no such question.")


def retry(conversation_id: str) -> Answer:
    """Ask the last question again, in place of its answer; raise Conflict when there is none."""
    row = _own(conversation_id)
    if not (questions := _questions(conversation_id)):
        raise Conflict("Nothing has been asked yet.")
    return _ask(row, questions[-1]["text"], questions[-1]["position"])


def remove(conversation_id: str) -> None:
    """Delete a conversation; an answer that is being written ends."""
    _own(conversation_id)
    db.write(lambda conn: store.remove(conn, [conversation_id]))
    live.tell(conversation_id)


def remove_all() -> int:
    """Delete all conversations of the caller; return their number."""
    owner = identity.current().owner
    return db.write(lambda conn: store.remove(conn, store.of_owner(conn, owner)))


def _own(conversation_id: str) -> RowMapping:
    row = found(conversation_id)
    ownership.check_changed(row["owner"], WHAT)
    return row


def _questions(conversation_id: str) -> list[RowMapping]:
    thread = db.read(lambda conn: store.thread(conn, conversation_id), unbounded=True)
    return [one for one in thread if one["role"] == store.USER]


def _ask(conversation: RowMapping, text: str, at: int | None) -> Answer:
    """Store a question, in place of everything from position `at` on, and its answer; return the answer to write."""
    conversation_id = conversation["id"]
    model.check(input_bytes=len(text.encode()))
    answer_id = uuid.uuid4().hex

    def write(conn: Connection) -> list[RowMapping]:
        now = time.time()
        if not store.begin(conn, conversation_id, answer_id, now, now + LEASE_SECONDS):
            raise Conflict(BUSY, code="busy")
        if at is not None:
            store.drop_from(conn, conversation_id, at)
        before = store.thread(conn, conversation_id)
        if len(before) >= MOST_MESSAGES:
            raise Conflict("This conversation is long enough: begin another one.", code="too_long")
        if not before:
            store.title(conn, conversation_id, excerpt(text, TITLE_CHARACTERS))
        position = before[-1]["position"] + 1 if before else 0
        new = {"conversation_id": conversation_id, "created_at": now}
        question = {"id": uuid.uuid4().hex, "position": position, "role": store.USER, "text": text}
        answer = {"id": answer_id, "position": position + 1, "role": store.ASSISTANT, "text": ""}
        store.add(conn, [{**new, **question, "status": store.DONE}, {**new, **answer, "status": store.STREAMING}])
        return before

    history: list[Message] = [{"role": one["role"], "content": one["text"]} for one in db.write(write) if one["text"]]
    live.tell(conversation_id)
    return Answer(conversation_id, answer_id, conversation["owner"], text, history)
