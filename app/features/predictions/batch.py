"""Processes a batch: several rows at once, each stored as soon as it has its answer."""

import contextvars
import threading
from collections.abc import Callable, Iterator

import structlog
from sqlalchemy.exc import StatementError

from app.features.predictions import prompt as prompts
from app.features.predictions import store
from app.features.predictions.predictor import predictor
from app.features.predictions.store import FAILED, Answer
from chassis.db import db
from chassis.jobs import JobContext, JobStopped
from chassis.upstream import Cancelled, UpstreamError

log = structlog.get_logger(__name__)
CHUNK = 500
Row = tuple[int, dict[str, str]]


def predict(context: JobContext, prediction_id: str, concurrency: int) -> None:
    """Request an answer for every row without one; raise an error that makes continuing pointless.

    When the process stops, it waits for running calls; when the batch is cancelled, they are dropped.
    """
    batch = db.read(lambda conn: store.get(conn, prediction_id))
    if batch is None:
        return
    context.progress(batch["done"], batch["total"])
    template, total, rows = batch["prompt"], batch["total"], _shared(_unfinished(prediction_id))
    errors: list[Exception] = []

    def work() -> None:
        try:
            while not errors and not context.cancelled and (row := rows()) is not None:
                _predict_row(context, prediction_id, row, template, total)
        except Cancelled:
            return
        except Exception as error:
            errors.append(error)

    threads = [_thread(work) for _ in range(min(concurrency, total))]
    for thread in threads:
        thread.start()
    for thread in threads:
        while thread.is_alive() and context.reason not in ("cancel", "lost", "time_limit"):
            thread.join(0.1)
    if errors:
        raise _told(errors[0], prediction_id)
    if context.cancelled:
        raise JobStopped


def _told(error: Exception, prediction_id: str) -> Exception:
    """Return an account's refusal with the number of rows not attempted; other errors unchanged."""
    batch = db.read(lambda conn: store.get(conn, prediction_id))
    if not isinstance(error, UpstreamError) or batch is None:
        return error
    left = batch["total"] - batch["done"]
    end = "" if error.message.endswith((".", "!", "?", "…")) else "."
    rows = "1 row was" if left == 1 else f"{left:,} rows were"
    return UpstreamError(error.code, f"{error.message}{end} {rows} not attempted; continue the batch to go on.")


def _thread(work: Callable[[], None]) -> threading.Thread:
    """Return a thread whose log lines carry the job's id, like the caller's."""
    return threading.Thread(target=contextvars.copy_context().run, args=(work,), daemon=True)


def _predict_row(context: JobContext, prediction_id: str, row: Row, template: str, total: int) -> None:
    position, values = row
    answer = _answer(context, values, template)
    done = _finish(context, prediction_id, position, answer)
    if done is not None:
        context.progress(done, total)


def _finish(context: JobContext, prediction_id: str, position: int, answer: Answer) -> int | None:
    """Store an answer; one that the database refuses fails its own row only."""
    try:
        return context.write(lambda conn: store.finish_row(conn, prediction_id, position, answer))
    except (StatementError, UnicodeError) as error:
        log.warning("answer_not_stored", prediction_id=prediction_id, position=position, reason=type(error).__name__)
        failed = Answer(FAILED, error="The answer could not be stored.")
        return context.write(lambda conn: store.finish_row(conn, prediction_id, position, failed))


def _answer(context: JobContext, values: dict[str, str], template: str) -> Answer:
    try:
        prompt = prompts.fill(template, values, predictor.max_prompt_characters)
    except prompts.PromptTooLong as error:
        return Answer(FAILED, error=error.message)
    return predictor.answer(prompt, lambda: context.reason not in (None, "stop"))


def _unfinished(prediction_id: str) -> Iterator[Row]:
    """Yield the waiting rows, read in chunks so that a large batch is never in memory as a whole."""
    after = -1
    while chunk := db.read(lambda conn, a=after: store.unfinished(conn, prediction_id, after=a, limit=CHUNK)):  # type: ignore[misc]
        yield from chunk
        after = chunk[-1][0]


def _shared(rows: Iterator[Row]) -> Callable[[], Row | None]:
    """Return a function that returns each row once, to whichever thread asks first."""
    lock = threading.Lock()

    def take() -> Row | None:
        with lock:
            return next(rows, None)

    return take
