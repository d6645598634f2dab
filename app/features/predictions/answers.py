"""Stores the answers of a batch in groups: one transaction has all answers that came while the last one was written.

A caller that waits for its turn holds no connection, so a batch with many calls at once leaves the pool to others.
"""

import threading
import time
from collections.abc import Sequence

import structlog
from sqlalchemy.exc import StatementError

from app.features.predictions import store
from app.features.predictions.store import FAILED, Answer
from chassis.jobs import JobContext

log = structlog.get_logger(__name__)
Finished = tuple[int, Answer]


class Answers:
    """Stores the answers of one batch, for many threads."""

    def __init__(self, context: JobContext, prediction_id: str, total: int) -> None:
        self._context, self._prediction_id, self._total = context, prediction_id, total
        self._adding, self._writing = threading.Lock(), threading.Lock()
        self._waiting: list[Finished] = []

    def store(self, position: int, answer: Answer) -> None:
        """Return when the answer is stored; one that the database refuses fails its own row only."""
        with self._adding:
            self._waiting.append((position, answer))
        with self._writing:  # whoever comes first writes for those who wait here
            with self._adding:
                group, self._waiting = self._waiting, []
            if group:
                self._store(group)

    def _store(self, group: Sequence[Finished]) -> None:
        try:
            self._write(group)
        except (StatementError, UnicodeError):
            for one in group:
                self._store_alone(one)

    def _store_alone(self, one: Finished) -> None:
        try:
            self._write([one])
        except (StatementError, UnicodeError) as error:
            log.warning(
                "answer_not_stored",
                prediction_id=self._prediction_id,
                position=one[0],
                reason=type(error).__name__,
            )
            self._write([(one[0], Answer(FAILED, error="The answer could not be stored."))])

    def _write(self, group: Sequence[Finished]) -> None:
        now = time.time()
        done = self._context.write(lambda conn: store.finish_rows(conn, self._prediction_id, group, now))
        if done is not None:
            self._context.progress(done, self._total)
