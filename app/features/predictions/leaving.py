"""What ends with a person's account: their batches, with the prompts, rows and answers in them."""

from sqlalchemy import Column, Connection, Select, delete, select, update

from app.features.predictions.tables import predictions, rows
from chassis.jobs import ENDED, forget
from chassis.jobs import jobs_table as jobs
from chassis.security.leaving import Departure, Ending, Part


def part() -> Part:
    """Return the part: batches pass to the heir with their jobs, or are deleted.

    Unfinished jobs are handed over or cancelled by the chassis.
    """
    return Part(_find, _end)


def _find(conn: Connection, departure: Departure) -> Ending:
    fate = f"handed over to {departure.heir}" if departure.heir else "deleted"
    query = select(predictions.c.name).join(jobs).where(jobs.c.submitted_by.in_(departure.owners))
    return Ending("batches", fate, list(conn.execute(query.order_by(predictions.c.created_at)).scalars()))


def _end(conn: Connection, departure: Departure) -> None:
    if departure.heir:
        theirs = jobs.c.id.in_(_theirs(departure, predictions.c.job_id))
        conn.execute(update(jobs).where(theirs).values(submitted_by=departure.heir))
        return
    ended = list(conn.execute(_theirs(departure, jobs.c.id).where(jobs.c.state.in_(ENDED))).scalars())
    batches = list(conn.execute(_theirs(departure, predictions.c.id)).scalars())
    for batch in batches:
        conn.execute(delete(rows).where(rows.c.prediction_id == batch))
        conn.execute(delete(predictions).where(predictions.c.id == batch))
    for job_id in ended:
        forget(conn, job_id)


def _theirs(departure: Departure, column: Column[str]) -> Select[str]:
    return select(column).select_from(predictions.join(jobs)).where(jobs.c.submitted_by.in_(departure.owners))
