"""Writes an answer: finds sources, and asks the model; the text is stored while it comes."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from app.features.chat import events, store
from app.features.chat.model import model
from app.features.chat.prompt import prompt
from app.features.chat.search import search
from app.features.chat.tables import messages
from chassis.db import db
from chassis.realtime import Stopped, Writing, Written
from chassis.upstream import Message


@dataclass(frozen=True)
class Answer:
    """An answer whose row is stored as begun."""

    id: str
    conversation_id: str
    owner: str
    question: str
    history: Sequence[Message]

    def writing(self) -> Writing:
        """Return the source of a stream that writes the answer, and stores it."""
        return Writing(self._texts, self._store)

    def _texts(self, stopped: Stopped) -> Iterator[str]:
        (vector,) = model.embed([self.question], stopped)
        sources = search(self.owner, self.question, vector)
        db.write(lambda conn: store.note(conn, self.id, sources=sources, model=model.name))
        yield from model.answer(prompt(self.question, self.history, sources), sources, stopped)

    def _store(self, written: Written) -> bool:
        def write(conn: Connection) -> bool:
            store.change(conn, self.conversation_id, changed_at=time.time())
            return written.store(conn, messages, self.id)

        wanted = db.write(write)
        if written.ended:
            events.tell(self.conversation_id)
        return wanted
