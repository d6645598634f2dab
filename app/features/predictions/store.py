"""All SQL of the example. A row is finished once: a second answer is ignored."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    LargeBinary,
    Row,
    Select,
    bindparam,
    cast,
    delete,
    func,
    select,
    true,
    tuple_,
    update,
)

from app.features.predictions import known
from app.features.predictions.tables import predictions, rows
from chassis.base import iso
from chassis.jobs import ENDED, forget
from chassis.jobs import jobs_table as jobs

KIND = "predictions"  # of the jobs
PENDING, SUCCEEDED, FAILED = "pending", "succeeded", "failed"
CHUNK, CHUNK_CHARACTERS = 500, 1_000_000  # of the rows in one statement
FINISH = (
    update(rows)
    .where(rows.c.prediction_id == bindparam("of_batch"), rows.c.position == bindparam("at_position"))
    .values({name: bindparam(name) for name in ("status", "output", "error", "model", "cached", "finish_no")})
)


@dataclass(frozen=True)
class Answer:
    """The outcome of one row."""

    status: str
    output: str | None = None
    error: str | None = None
    model: str | None = None
    cached: bool = False
    cache_key: str | None = None  # under which the answer is kept for later rows

    @property
    def stored_bytes(self) -> int:
        return len(f"{self.output or ''}{self.error or ''}".encode(errors="surrogatepass"))


def insert(conn: Connection, batch: dict[str, Any], inputs: Sequence[dict[str, str]]) -> None:
    """Store a batch with its rows."""
    conn.execute(predictions.insert().values(done=0, failed=0, finish_seq=0, total=len(inputs), **batch))
    new = {"prediction_id": batch["id"], "status": PENDING, "cached": False}
    for chunk in _chunks(inputs):
        conn.execute(rows.insert(), [{**new, "position": i, "input": row} for i, row in chunk])


def _chunks(inputs: Sequence[dict[str, str]]) -> Iterator[list[tuple[int, dict[str, str]]]]:
    """Yield the rows with their positions in chunks that are fast to write, since PostgreSQL's are built on the hub."""
    chunk, characters = list[tuple[int, dict[str, str]]](), 0
    for position, row in enumerate(inputs):
        chunk.append((position, row))
        characters += sum(map(len, row)) + sum(map(len, row.values()))
        if len(chunk) == CHUNK or characters >= CHUNK_CHARACTERS:
            yield chunk
            chunk, characters = [], 0
    if chunk:
        yield chunk


def get(conn: Connection, prediction_id: str) -> dict[str, Any] | None:
    """Return a batch as the API shows it, with its owner as `submitted_by`, or None."""
    row = conn.execute(_batches().where(predictions.c.id == prediction_id)).first()
    return _batch(row) | {"submitted_by": row.submitted_by} if row else None


def by_job(conn: Connection, job_id: str) -> dict[str, Any] | None:
    """Return the batch of a job, or None."""
    row = conn.execute(_batches().where(predictions.c.job_id == job_id)).first()
    return _batch(row) if row else None


def listing(conn: Connection, *, owner: str | None, limit: int, offset: int) -> tuple[list[dict[str, Any]], int]:
    """Return a page of an owner's batches (None for all), newest first, and their total number."""
    mine = true() if owner is None else jobs.c.submitted_by == owner
    batches = _batches().where(mine)
    query = batches.order_by(predictions.c.created_at.desc(), predictions.c.id).limit(limit).offset(offset)
    total = conn.execute(select(func.count()).select_from(predictions).join(jobs).where(mine)).scalar_one()
    return [_batch(row) for row in conn.execute(query)], total


def page_of_rows(conn: Connection, prediction_id: str, *, offset: int, limit: int) -> list[dict[str, Any]]:
    """Return rows in the input's order."""
    query = select(rows).where(rows.c.prediction_id == prediction_id, rows.c.position >= offset)
    return [shown_row(row) for row in conn.execute(query.order_by(rows.c.position).limit(limit))]


def rows_after(conn: Connection, prediction_id: str, *, after: int, limit: int) -> list[dict[str, Any]]:
    """Return the rows that finished after a finish number, in the order in which they finished."""
    query = select(rows).where(rows.c.prediction_id == prediction_id, rows.c.finish_no > after)
    return [shown_row(row) for row in conn.execute(query.order_by(rows.c.finish_no).limit(limit))]


def unfinished(conn: Connection, prediction_id: str, *, after: int, limit: int) -> list[tuple[int, dict[str, str]]]:
    """Return (position, input) of waiting rows after a position."""
    mine = (rows.c.prediction_id == prediction_id, rows.c.position > after, rows.c.status == PENDING)
    found = conn.execute(select(rows.c.position, rows.c.input).where(*mine).order_by(rows.c.position).limit(limit))
    return [(position, values) for position, values in found]


def finish_rows(conn: Connection, prediction_id: str, finished: Sequence[tuple[int, Answer]], now: float) -> int | None:
    """Store the answers of some rows, count them, and keep them in the cache; return the number of finished rows.

    The batch's row is locked first, so that finish numbers are in the order of the commits. A row that had an answer
    is left out; returns None when all had one.
    """
    mine = predictions.c.id == prediction_id
    counts = select(predictions.c.done, predictions.c.finish_seq).where(mine).with_for_update()
    batch = conn.execute(counts).first()
    waiting = _waiting(conn, prediction_id, [position for position, _ in finished])
    new = [(position, answer) for position, answer in dict(finished).items() if position in waiting]
    if batch is None or not new:
        return None
    conn.execute(FINISH, [_finished(prediction_id, *one, batch.finish_seq + n) for n, one in enumerate(new, start=1)])
    answers = [answer for _, answer in new]
    counted = {
        "done": batch.done + len(new),
        "finish_seq": batch.finish_seq + len(new),
        "failed": predictions.c.failed + sum(answer.status == FAILED for answer in answers),
        "stored_bytes": predictions.c.stored_bytes + sum(answer.stored_bytes for answer in answers),
    }
    conn.execute(update(predictions).where(mine).values(**counted))
    known.remember(conn, {a.cache_key: a.output for a in answers if a.cache_key and a.output is not None}, now)
    return int(batch.done) + len(new)


def _waiting(conn: Connection, prediction_id: str, positions: Sequence[int]) -> set[int]:
    mine = (rows.c.prediction_id == prediction_id, rows.c.position.in_(positions), rows.c.status == PENDING)
    return set(conn.execute(select(rows.c.position).where(*mine)).scalars())


def _finished(prediction_id: str, position: int, answer: Answer, number: int) -> dict[str, Any]:
    values = {name: getattr(answer, name) for name in ("status", "output", "error", "model", "cached")}
    return {**values, "finish_no": number, "of_batch": prediction_id, "at_position": position}


def rename(conn: Connection, prediction_id: str, name: str) -> None:
    """Give a batch another name."""
    conn.execute(update(predictions).where(predictions.c.id == prediction_id).values(name=name))


def remove(conn: Connection, prediction_id: str, job_id: str) -> bool:
    """Delete a batch with its rows and its job; return False if it has not ended."""
    state = conn.execute(select(jobs.c.state).where(jobs.c.id == job_id).with_for_update()).scalar()
    if state not in ENDED:
        return False
    conn.execute(delete(rows).where(rows.c.prediction_id == prediction_id))
    conn.execute(delete(predictions).where(predictions.c.id == prediction_id))
    forget(conn, job_id)
    return True


def forget_failures(conn: Connection, prediction_id: str) -> int:
    """Set the failed rows back to waiting; return their number."""
    failed = (rows.c.prediction_id == prediction_id, rows.c.status == FAILED)
    size = conn.execute(
        select(func.sum(_size(conn, rows.c.output) + _size(conn, rows.c.error))).where(*failed)
    ).scalar()
    values = {"status": PENDING, "output": None, "error": None, "finish_no": None, "model": None}
    number = conn.execute(update(rows).where(*failed).values(**values)).rowcount
    changed = {"done": predictions.c.done - number, "failed": predictions.c.failed - number}
    changed["stored_bytes"] = predictions.c.stored_bytes - (size or 0)
    conn.execute(update(predictions).where(predictions.c.id == prediction_id).values(**changed))
    return int(number)


def stored_bytes(conn: Connection, owner: str) -> int:
    """Return the number of bytes that an owner's batches store."""
    query = select(func.sum(predictions.c.stored_bytes)).join(jobs).where(jobs.c.submitted_by == owner)
    return int(conn.execute(query).scalar() or 0)


def outcomes(conn: Connection) -> list[tuple[str, str, int]]:
    """Return (model, outcome, number) of all finished rows."""
    model = func.coalesce(rows.c.model, predictions.c.model).label("model")
    query = select(model, rows.c.status, func.count()).select_from(rows.join(predictions))
    return [(m, s, n) for m, s, n in conn.execute(query.where(rows.c.status != PENDING).group_by(model, rows.c.status))]


def answered(conn: Connection, *, after: tuple[str, int], limit: int) -> list[Row[Any]]:
    """Return finished rows of all batches after (batch, position), with their batch's name."""
    model = func.coalesce(rows.c.model, predictions.c.model).label("model")
    columns = (rows.c.prediction_id, rows.c.position, rows.c.status, rows.c.input, rows.c.output, rows.c.error)
    place = tuple_(rows.c.prediction_id, rows.c.position)
    query = select(predictions.c.name, model, *columns).join_from(rows, predictions)
    return list(conn.execute(query.where(rows.c.status != PENDING, place > after).order_by(*place).limit(limit)))


def delete_old(conn: Connection, before: float, limit: int) -> int:
    """Delete up to `limit` rows of batches that ended before a time, and emptied batches with their jobs.

    Jobs whose batch went with its owner's account are deleted, too. Returns the number of deleted rows, those of
    batches and jobs included.
    """
    old = select(predictions.c.id, predictions.c.job_id).join(jobs)
    old = old.where(jobs.c.state.in_(ENDED), jobs.c.updated_at < before).order_by(jobs.c.updated_at).limit(1)
    lone = (jobs.c.kind == KIND, jobs.c.id.not_in(select(predictions.c.job_id)))
    gone = conn.execute(delete(jobs).where(*lone, jobs.c.state.in_(ENDED), jobs.c.updated_at < before)).rowcount
    while gone < limit and (batch := conn.execute(old).first()):
        gone += _delete_some(conn, batch, limit - gone)
    return gone


def _delete_some(conn: Connection, batch: Row[Any, Any], limit: int) -> int:
    mine = rows.c.prediction_id == batch.id
    found = list(conn.execute(select(rows.c.position).where(mine).limit(limit)).scalars())
    conn.execute(delete(rows).where(mine, rows.c.position.in_(found)))
    if len(found) == limit:
        return limit
    conn.execute(delete(predictions).where(predictions.c.id == batch.id))
    forget(conn, batch.job_id)
    return len(found) + 1


def _size(conn: Connection, column: Column[str]) -> ColumnElement[int]:
    """Return a text's size in bytes; SQLite has `octet_length` only from 3.43."""
    size = func.octet_length(column) if conn.dialect.name == "postgresql" else func.length(cast(column, LargeBinary))
    return func.coalesce(size, 0)


def _batches() -> Select[Any]:
    state = (jobs.c.state, jobs.c.message, jobs.c.error, jobs.c.started_at, jobs.c.finished_at, jobs.c.submitted_by)
    return select(predictions, *state).join(jobs, jobs.c.id == predictions.c.job_id)


def _batch(row: Row[Any]) -> dict[str, Any]:
    shown = ("id", "name", "prompt", "model", "columns", "total", "done", "failed", "finish_seq", "job_id")
    batch = {name: getattr(row, name) for name in shown}
    batch |= {"status": row.state, "message": row.error or row.message, "demo": row.model == "demo"}
    return batch | {name: iso(getattr(row, name)) for name in ("created_at", "started_at", "finished_at")}


def shown_row(row: Row[Any]) -> dict[str, Any]:
    """Return a row as the API shows it."""
    shown = ("position", "input", "output", "status", "error", "model", "cached", "finish_no")
    return {name: getattr(row, name) for name in shown}
