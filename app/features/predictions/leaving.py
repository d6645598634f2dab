"""What ends with an account: its batches with their rows; their owner is whoever submitted their job."""

from sqlalchemy import ColumnElement, Connection, delete, select, update

from app.features.predictions.tables import predictions, rows
from chassis.jobs import jobs_table as jobs
from chassis.security import leaving


def _find(conn: Connection, departure: leaving.Departure) -> leaving.Ending:
    fate = f"handed over to {departure.heir}" if departure.heir else "deleted"
    query = select(predictions.c.name).join(jobs).where(_theirs(departure)).order_by(predictions.c.created_at)
    return leaving.Ending("batches of predictions", fate, list(conn.execute(query).scalars()))


def _end(conn: Connection, departure: leaving.Departure) -> None:
    """Hand batches over, or delete them; the job `retention` deletes their jobs, of which some may still run."""
    if departure.heir:
        of_batches = jobs.c.id.in_(select(predictions.c.job_id))
        conn.execute(update(jobs).where(_theirs(departure), of_batches).values(submitted_by=departure.heir))
        return
    found = predictions.c.job_id.in_(select(jobs.c.id).where(_theirs(departure)))
    conn.execute(delete(rows).where(rows.c.prediction_id.in_(select(predictions.c.id).where(found))))
    conn.execute(delete(predictions).where(found))


def _theirs(departure: leaving.Departure) -> ColumnElement[bool]:
    return jobs.c.submitted_by.in_(departure.owners)


PART = leaving.Part(_find, _end)
