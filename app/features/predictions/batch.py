"""Processes a batch: several rows at once, each stored as soon as it has its answer."""

import contextvars
import threading
import time
from collections.abc import Callable, Iterator

from app.features.predictions import prompt as prompts
from app.features.predictions import store
from app.features.predictions.answers import Answers
from app.features.predictions.predictor import predictor
from app.features.predictions.store import FAILED, Answer
from chassis.db import db
from chassis.errors import AppError, BudgetExceeded
from chassis.jobs import JobContext, JobStopped
from chassis.upstream import Cancelled, UpstreamError

CHUNK = 500
DROP_SECONDS = 2.0
Row = tuple[int, dict[str, str]]


def predict(context: JobContext, prediction_id: str, concurrency: int) -> None:
    """Request an answer for every row without one; raise an error that makes continuing pointless.

    When the process stops, it waits for running calls; when the batch is cancelled, they are dropped. A batch whose
    last row got its answer meanwhile is done all the same.
    """
    batch = db.read(lambda conn: store.get(conn, prediction_id))
    if batch is None:
        return
    context.progress(batch["done"], batch["total"])
    template, total, rows = batch["prompt"], batch["total"], _shared(_unfinished(prediction_id))
    answers, errors = Answers(context, prediction_id, total), list[Exception]()

    def work() -> None:
        try:
            while not errors and not context.cancelled and (row := rows()) is not None:
                answers.store(row[0], _answer(context, row[1], template))
        except Cancelled:
            return
        except Exception as error:
            errors.append(error)

    threads = [_thread(work) for _ in range(min(concurrency, total))]
    for thread in threads:
        thread.start()
    _wait(threads, context)
    if errors:
        raise _told(errors[0], prediction_id)
    if context.cancelled and _is_open(prediction_id):
        raise JobStopped


def _wait(threads: list[threading.Thread], context: JobContext) -> None:
    """Wait for all threads; calls that are dropped have a moment to end, and to store an answer that is here."""
    dropped = 0.0
    for thread in threads:
        while thread.is_alive():
            thread.join(0.1)
            if context.reason in (None, "stop"):
                continue
            dropped = dropped or time.monotonic()
            if time.monotonic() - dropped > DROP_SECONDS:
                return


def _is_open(prediction_id: str) -> bool:
    """Return whether rows of a batch have no answer."""
    batch = db.read(lambda conn: store.get(conn, prediction_id))
    return batch is not None and batch["done"] < batch["total"]


def _told(error: Exception, prediction_id: str) -> Exception:
    """Return a refusal of the account or the budget with the number of rows not attempted; other errors unchanged."""
    batch = db.read(lambda conn: store.get(conn, prediction_id))
    if not isinstance(error, UpstreamError | BudgetExceeded) or batch is None:
        return error
    left = batch["total"] - batch["done"]
    end = "" if error.message.endswith((".", "!", "?", "…")) else "."
    rows = "1 row was" if left == 1 else f"{left:,} rows were"
    return AppError(f"{error.message}{end} {rows} not attempted; resume the batch to go on.", code=error.code)


def _thread(work: Callable[[], None]) -> threading.Thread:
    """Return a thread with the caller's context: its log lines carry the job's id, and it waits for the database."""
    return threading.Thread(target=contextvars.copy_context().run, args=(work,), daemon=True)


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
