"""Stores the answers of a batch in groups, so that a batch with many calls at once takes one connection for them."""

import time
from collections.abc import Sequence

import structlog
from sqlalchemy.exc import StatementError

from app.features.predictions import store
from app.features.predictions.store import FAILED, Answer
from chassis.db import Grouped
from chassis.jobs import JobContext

log = structlog.get_logger(__name__)
Finished = tuple[int, Answer]


class Answers:
    """Stores the answers of one batch, for many threads."""

    def __init__(self, context: JobContext, prediction_id: str, total: int) -> None:
        self._context, self._prediction_id, self._total = context, prediction_id, total
        self._grouped = Grouped(self._write)

    def store(self, position: int, answer: Answer) -> None:
        """Return when the answer is stored; one that the database refuses fails its own row only."""
        try:
            self._grouped.submit((position, answer))
        except (StatementError, UnicodeError) as error:
            self._log(position, error)
            self._grouped.submit((position, Answer(FAILED, error="The answer could not be stored.")))

    def _log(self, position: int, error: Exception) -> None:
        reason = type(error).__name__
        log.warning("answer_not_stored", prediction_id=self._prediction_id, position=position, reason=reason)

    def _write(self, group: Sequence[Finished]) -> None:
        now = time.time()
        done = self._context.write(lambda conn: store.finish_rows(conn, self._prediction_id, group, now))
        if done is not None:
            self._context.progress(done, self._total)
