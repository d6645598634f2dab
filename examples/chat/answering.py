"""Writes one answer: finds sources, asks the model, stores the text while it comes, and says how it ended."""

import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

import structlog
from prometheus_client import Counter
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from app.features.chat import events, store
from app.features.chat.model import model
from app.features.chat.prompt import prompt
from app.features.chat.search import search
from chassis.db import db
from chassis.errors import AppError
from chassis.realtime import End, Stopped
from chassis.upstream import Cancelled, Message

log = structlog.get_logger(__name__)
ANSWERS = Counter("chat_answers_total", "Answers by how they ended.", ["status"])
KEEP_SECONDS = 2.0  # between two times that a growing answer is stored
LEASE_SECONDS = 15.0  # after which an answer whose process has died is told as interrupted


@dataclass
class Answer:
    """An answer that is stored as begun; calling it writes it, as the source of a stream."""

    conversation_id: str
    id: str
    owner: str
    question: str
    history: Sequence[Message]
    _texts: list[str] = field(default_factory=list)
    _stopped: Stopped = bool  # False until somebody stops it
    _kept_at: float = field(default_factory=time.monotonic)
    _unwanted: bool = False

    def __call__(self, stopped: Stopped) -> Iterator[str]:
        """Yield the parts of the answer; its row says how it ended before the stream does."""
        self._stopped = stopped
        status, error = store.STOPPED, None
        try:
            with closing(self._parts()) as parts:
                for text in parts:
                    self._texts.append(text)
                    yield text
                    if self._ended():
                        return
            status = store.DONE
        except Cancelled:
            return
        except Exception as raised:
            status = store.CUT if any(self._texts) else store.FAILED
            error = raised.message if isinstance(raised, AppError) else "Something went wrong on our side."
            raise
        finally:
            self._end(status, error)

    def unread(self, end: End) -> None:
        """Store that nothing was written: there was no place for the stream, or its client had left."""
        self._end(store.FAILED if end.code else store.STOPPED, end.message or None)

    def _parts(self) -> Generator[str]:
        (vector,) = model.embed([self.question], self._ended)
        sources = search(self.owner, self.question, vector, model.embedder, model.excerpts)
        self._keep(sources=sources, model=model.name)
        yield from model.answer(prompt(self.question, self.history, sources), sources, self._ended)

    def _ended(self) -> bool:
        """Return whether to stop; renew the lease and store the text so far from time to time."""
        if time.monotonic() - self._kept_at > KEEP_SECONDS:
            self._keep(text="".join(self._texts))
        return self._unwanted or self._stopped()

    def _keep(self, **values: Any) -> None:
        self._kept_at, values["until"] = time.monotonic(), time.time() + LEASE_SECONDS
        try:
            self._unwanted = not db.write(lambda conn: store.keep(conn, self.id, **values))
        except SQLAlchemyError:
            log.warning("answer_not_kept_yet", message_id=self.id)

    def _end(self, status: str, error: str | None) -> None:
        ANSWERS.labels(status).inc()
        text, now = "".join(self._texts), time.time()

        def write(conn: Connection) -> None:
            store.keep(conn, self.id, status=status, error=error, text=text)
            store.change(conn, self.conversation_id, changed_at=now)

        db.write(write)
        events.tell(self.conversation_id)
