"""All SQL of inspections and their images."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, case, delete, func, select, update

from app.features.inspections.tables import images, inspections
from chassis.base import iso
from chassis.jobs import ENDED, forget, jobs_table

PENDING, DONE, FAILED = "pending", "done", "failed"
COUNTS = func.coalesce(images.c.corrected_to, images.c.verdict)  # the verdict that counts
STATE = case((images.c.status == DONE, COUNTS), else_=images.c.status)
TIMES = ("created_at", "finished_at", "corrected_at")
SHOWN = [column for column in images.c if column.name not in ("thumbnail", "origin")]


@dataclass(frozen=True)
class Found:
    """What is stored of an image that was classified."""

    verdict: str
    score: float
    detail: str
    thumbnail: bytes
    classifier: str
    cached: bool = False


def insert(conn: Connection, inspection: dict[str, Any], rows: Sequence[dict[str, Any]]) -> None:
    """Store an inspection with its images."""
    conn.execute(inspections.insert().values(**inspection, total=len(rows), done=0))
    same = {"inspection_id": inspection["id"], "owner": inspection["owner"], "status": PENDING, "cached": False}
    same["created_at"] = inspection["created_at"]
    conn.execute(images.insert(), [{**same, "position": number, **row} for number, row in enumerate(rows)])


def get(conn: Connection, inspection_id: str) -> dict[str, Any] | None:
    """Return an inspection as the API shows it, with its `owner`, or None."""
    row = conn.execute(_inspections().where(inspections.c.id == inspection_id)).first()
    return _inspection(row) | {"owner": row.owner} if row else None


def listing(conn: Connection, owner: str | None, *, limit: int, offset: int) -> tuple[list[dict[str, Any]], int]:
    """Return a page of an owner's inspections (None for all), newest first, and their number."""
    mine = [] if owner is None else [inspections.c.owner == owner]
    query = _inspections().where(*mine).order_by(inspections.c.created_at.desc(), inspections.c.id)
    total = conn.execute(select(func.count()).select_from(inspections).where(*mine)).scalar_one()
    return [_inspection(row) for row in conn.execute(query.limit(limit).offset(offset))], total


def image(conn: Connection, image_id: str) -> dict[str, Any] | None:
    """Return an image with all that is known of it but its thumbnail, or None."""
    row = conn.execute(select(*SHOWN).where(images.c.id == image_id)).first()
    return dict(row._mapping) if row else None


def thumbnail(conn: Connection, image_id: str) -> bytes | None:
    """Return the thumbnail of an image."""
    found: bytes | None = conn.execute(select(images.c.thumbnail).where(images.c.id == image_id)).scalar()
    return found


def page_of_images(
    conn: Connection, owner: str | None, inspection_id: str | None, shown: str | None, *, limit: int, offset: int
) -> tuple[list[dict[str, Any]], dict[str, int]]:
    """Return a page of images, newest first, and how many there are of each verdict and state."""
    where = _where(owner, inspection_id)
    numbers = conn.execute(select(STATE.label("state"), func.count()).where(*where).group_by("state"))
    counts: dict[str, int] = {state: number for state, number in numbers}  # noqa: C416 - rows are no tuples
    corrected = images.c.corrected_to.is_not(None)
    counts["corrected"] = conn.execute(select(func.count()).where(*where, corrected)).scalar_one()
    if shown:
        where.append(corrected if shown == "corrected" else STATE.in_([shown]))
    query = select(*SHOWN).where(*where).order_by(images.c.created_at.desc(), images.c.position, images.c.id)
    return [shown_image(row._mapping) for row in conn.execute(query.limit(limit).offset(offset))], counts


def unfinished(conn: Connection, inspection_id: str, limit: int) -> list[dict[str, Any]]:
    """Return the next images without a verdict."""
    mine = (images.c.inspection_id == inspection_id, images.c.status == PENDING)
    query = select(images.c.id, images.c.file_id, images.c.sha256).where(*mine).order_by(images.c.position)
    return [dict(row._mapping) for row in conn.execute(query.limit(limit))]


def known(conn: Connection, sha256: str, classifier: str, since: float) -> Found | None:
    """Return what the same classifier found in the same content since a time."""
    columns = [images.c[name] for name in ("verdict", "score", "detail", "classifier", "thumbnail")]
    same = (images.c.sha256 == sha256, images.c.classifier == classifier, images.c.status == DONE)
    query = select(*columns).where(*same, images.c.cached.is_(False), images.c.finished_at >= since).limit(1)
    row = conn.execute(query).first()
    return Found(**row._mapping, cached=True) if row else None


def finish(conn: Connection, image_id: str, values: dict[str, Any]) -> tuple[dict[str, Any], int, int] | None:
    """Store the outcome of an image and count it; return the image, and how many of how many have one.

    Returns None if it had an outcome already.
    """
    waits = (images.c.id == image_id, images.c.status == PENDING)
    if not conn.execute(update(images).where(*waits).values(**values)).rowcount:
        return None
    found = image(conn, image_id)
    assert found is not None
    mine = inspections.c.id == found["inspection_id"]
    conn.execute(update(inspections).where(mine).values(done=inspections.c.done + 1))
    done, total = conn.execute(select(inspections.c.done, inspections.c.total).where(mine)).one()
    return found, done, total


def correct(conn: Connection, image_id: str, values: dict[str, Any]) -> bool:
    """Store or withdraw a correction; return whether the image has a verdict, or failed."""
    ended = (images.c.id == image_id, images.c.status != PENDING)
    return conn.execute(update(images).where(*ended).values(**values)).rowcount == 1


def results(conn: Connection, inspection_id: str, *, after: int, limit: int) -> list[dict[str, Any]]:
    """Return images of an inspection after a position."""
    mine = (images.c.inspection_id == inspection_id, images.c.position > after)
    found = conn.execute(select(*SHOWN).where(*mine).order_by(images.c.position).limit(limit))
    return [shown_image(row._mapping) for row in found]


def taken(conn: Connection, origins: Sequence[str]) -> set[str]:
    """Return which of a camera's files were stored before."""
    return set(conn.execute(select(images.c.origin).where(images.c.origin.in_(origins))).scalars())


def remove(conn: Connection, inspection_id: str) -> list[str]:
    """Delete an ended inspection with its job; return the ids of its files."""
    found = get(conn, inspection_id)
    if found is None or found["status"] not in ENDED:
        return []
    mine = images.c.inspection_id == inspection_id
    files = list(conn.execute(select(images.c.file_id).where(mine)).scalars())
    conn.execute(delete(images).where(mine))
    conn.execute(delete(inspections).where(inspections.c.id == inspection_id))
    forget(conn, found["job_id"])
    return files


def delete_old(conn: Connection, before: float, limit: int) -> int:
    """Delete ended inspections from before a time, about `limit` images of them; return the number of rows."""
    old = _inspections().where(inspections.c.created_at < before, jobs_table.c.state.in_(ENDED))
    gone = 0
    while gone < limit and (row := conn.execute(old.order_by(inspections.c.created_at).limit(1)).first()):
        gone += len(remove(conn, row.id)) + 1
    return gone


def shown_image(row: Any) -> dict[str, Any]:
    """Return an image as the API shows it."""
    hidden = ("owner", "file_id")
    values = {name: value for name, value in dict(row).items() if name not in hidden}
    return values | {name: iso(values[name]) for name in TIMES}


def _where(owner: str | None, inspection_id: str | None) -> list[ColumnElement[bool]]:
    wanted = ((images.c.owner, owner), (images.c.inspection_id, inspection_id))
    return [column == value for column, value in wanted if value is not None]


def _inspections() -> Select[Any]:
    state = (jobs_table.c.state, jobs_table.c.message, jobs_table.c.error)
    return select(inspections, *state).join(jobs_table, jobs_table.c.id == inspections.c.job_id)


def _inspection(row: Row[Any]) -> dict[str, Any]:
    shown = ("id", "job_id", "name", "source", "total", "done")
    values = {name: getattr(row, name) for name in shown}
    return values | {"status": row.state, "message": row.error or row.message, "created_at": iso(row.created_at)}
