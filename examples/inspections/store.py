"""All SQL of inspections and their images."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, RowMapping, Select, case, delete, func, select, update

from app.features.inspections.tables import images, inspections
from chassis import files
from chassis.base import iso
from chassis.jobs import ENDED, forget, jobs_table

KIND = "inspections"  # of their jobs
PENDING, DONE, FAILED, SKIPPED = "pending", "done", "failed", "skipped"
WAITS = images.c.status == PENDING
OVER = select(inspections).join(jobs_table).where(jobs_table.c.state.in_(ENDED))  # unless the job is queued again
NEVER = WAITS & OVER.where(inspections.c.id == images.c.inspection_id).exists()
STATUS = case((NEVER, SKIPPED), else_=images.c.status).label("status")
STATE = func.coalesce(images.c.corrected_to, images.c.verdict, STATUS)  # what counts
TIMES = ("created_at", "finished_at", "corrected_at")
HIDDEN = ("owner", "file_id", "thumbnail", "origin")
KEPT = [STATUS, *(column for column in images.c if column.name not in ("status", "thumbnail"))]
Rows = Sequence[RowMapping]
FOUND = [images.c[name] for name in ("verdict", "score", "detail", "classifier", "thumbnail")]


def insert(conn: Connection, inspection: dict[str, Any], rows: Sequence[dict[str, Any]]) -> None:
    """Store an inspection with its images."""
    conn.execute(inspections.insert().values(**inspection, total=len(rows), done=0))
    same = {"inspection_id": inspection["id"], "owner": inspection["owner"], "status": PENDING, "cached": False}
    same["created_at"] = inspection["created_at"]
    conn.execute(images.insert(), [{**same, "position": number, **row} for number, row in enumerate(rows)])


def get(conn: Connection, inspection_id: str) -> RowMapping | None:
    """Return an inspection with the state of its job, or None."""
    return conn.execute(newest_first().where(inspections.c.id == inspection_id)).mappings().first()


def newest_first() -> Select[Any]:
    """Return the query of inspections with the states of their jobs, newest first."""
    state = (jobs_table.c.state.label("status"), jobs_table.c.message, jobs_table.c.error)
    query = select(inspections, *state).join(jobs_table)
    return query.order_by(inspections.c.created_at.desc(), inspections.c.id)


def image(conn: Connection, image_id: str) -> RowMapping | None:
    """Return an image with all that is known of it, or None."""
    return conn.execute(select(*KEPT, images.c.thumbnail).where(images.c.id == image_id)).mappings().first()


def page_of_images(
    conn: Connection, owner: str | None, inspection_id: str | None, shown: str | None, *, limit: int, offset: int
) -> tuple[Rows, dict[str, int]]:
    """Return a page of images, newest first, and how many there are of each verdict and state."""
    wanted = ((images.c.owner, owner), (images.c.inspection_id, inspection_id))
    where: list[ColumnElement[bool]] = [column == value for column, value in wanted if value is not None]
    numbers = select(STATE.label("shown"), func.count(), func.count(images.c.corrected_to))
    rows = conn.execute(numbers.where(*where).group_by("shown")).all()
    counts = {state: number for state, number, _ in rows} | {"corrected": sum(corrected for *_, corrected in rows)}
    if shown:
        where.append(images.c.corrected_to.is_not(None) if shown == "corrected" else STATE.in_([shown]))
    query = select(*KEPT).where(*where).order_by(images.c.created_at.desc(), images.c.position, images.c.id)
    return conn.execute(query.limit(limit).offset(offset)).mappings().all(), counts


def in_order(conn: Connection, inspection_id: str, *more: ColumnElement[bool], limit: int | None = None) -> Rows:
    """Return the images of an inspection in the order of the upload, or those of them for which `more` is true."""
    query = select(*KEPT).where(images.c.inspection_id == inspection_id, *more).order_by(images.c.position)
    return conn.execute(query.limit(limit)).mappings().all()


def known(conn: Connection, image: RowMapping, classifier: str, since: float) -> RowMapping | None:
    """Return what the same classifier found since a time in the same content of the same owner."""
    same = (images.c.sha256 == image["sha256"], images.c.owner == image["owner"], images.c.classifier == classifier)
    recent = (images.c.status == DONE, images.c.cached.is_(False), images.c.finished_at >= since)
    return conn.execute(select(*FOUND).where(*same, *recent).limit(1)).mappings().first()


def finish(conn: Connection, image_id: str, values: dict[str, Any]) -> tuple[RowMapping, int, int] | None:
    """Store the outcome of an image and count it; return the image, and how many of how many have one.

    Returns None if it had an outcome already, or was deleted.
    """
    if not conn.execute(update(images).where(images.c.id == image_id, WAITS).values(**values)).rowcount:
        return None
    found = conn.execute(select(*KEPT).where(images.c.id == image_id)).mappings().one()
    mine = inspections.c.id == found["inspection_id"]
    conn.execute(update(inspections).where(mine).values(done=inspections.c.done + 1))
    done, total = conn.execute(select(inspections.c.done, inspections.c.total).where(mine)).one()
    return found, done, total


def correct(conn: Connection, image_id: str, values: dict[str, Any]) -> RowMapping | None:
    """Store or withdraw a correction; return the image, or None if it still waits or was deleted."""
    ended = (images.c.id == image_id, images.c.status != PENDING)
    changed = conn.execute(update(images).where(*ended).values(**values)).rowcount
    return image(conn, image_id) if changed else None


def taken(conn: Connection, origin: str) -> bool:
    """Return whether a camera's file was stored before."""
    return conn.execute(select(images.c.id).where(images.c.origin == origin)).first() is not None


def remove(conn: Connection, inspection_id: str) -> list[str] | None:
    """Delete an inspection with its job and the rows of its files; return their ids, or None if it has not ended."""
    found = newest_first().where(inspections.c.id == inspection_id, jobs_table.c.state.in_(ENDED))
    row = conn.execute(found.with_for_update()).first()  # so that its job is not queued again meanwhile
    if row is None:
        return None
    mine = images.c.inspection_id == inspection_id
    file_ids = list(conn.execute(select(images.c.file_id).where(mine)).scalars())
    conn.execute(delete(images).where(mine))
    conn.execute(delete(inspections).where(inspections.c.id == inspection_id))
    forget(conn, row.job_id)
    files.forget(conn, file_ids)
    return file_ids


def delete_old(conn: Connection, before: float, limit: int) -> int:
    """Delete ended inspections from before a time, about `limit` images of them; return the number of rows.

    Jobs whose inspection went with its owner's account are deleted, too.
    """
    ended, lone = jobs_table.c.state.in_(ENDED), jobs_table.c.id.not_in(select(inspections.c.job_id))
    old = (jobs_table.c.kind == KIND, jobs_table.c.updated_at < before)
    gone = conn.execute(delete(jobs_table).where(*old, ended, lone)).rowcount
    next_one = select(inspections.c.id).join(jobs_table).where(inspections.c.created_at < before, ended)
    next_one = next_one.order_by(inspections.c.created_at).limit(1)
    while gone < limit and (found := conn.execute(next_one).scalar()):
        gone += len(remove(conn, found) or ()) + 1
    return gone


def shown_image(row: RowMapping) -> dict[str, Any]:
    """Return an image as the API shows it."""
    values = {name: value for name, value in row.items() if name not in HIDDEN}
    return values | {name: iso(values[name]) for name in TIMES}


def shown_inspection(row: RowMapping) -> dict[str, Any]:
    """Return an inspection as the API shows it."""
    values = {name: row[name] for name in ("id", "job_id", "name", "source", "total", "done", "status")}
    return values | {"message": row["error"] or row["message"], "created_at": iso(row["created_at"])}
