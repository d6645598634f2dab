"""The actions on inspections: create, show, correct and delete."""

import time
import uuid
from collections.abc import Callable, Iterator
from typing import Any

from sqlalchemy import Connection, RowMapping
from werkzeug.datastructures import FileStorage

from app.features.inspections import events, store, tables
from app.features.inspections.messages import Correction
from app.features.inspections.settings import InspectionSettings
from chassis import files, jobs
from chassis.base import BASE_DIR
from chassis.db import db
from chassis.errors import Conflict, NotFound
from chassis.security import identity, ownership
from chassis.wiring import current_settings

TYPES = ("image/jpeg", "image/png", "image/webp")
LABEL = "inspections"
WITHDRAWN: dict[str, Any] = dict.fromkeys(("corrected_to", "corrected_by", "corrected_at", "note"))


def create(given: list[FileStorage], name: str, source: str, origin: str | None = None) -> dict[str, Any]:
    """Store images, all or none, with an inspection of them and its job; return the inspection.

    `origin` tells a camera's image from all others.
    """
    with files.keeping(given, TYPES, label=LABEL) as kept:
        job = jobs.new_job(store.KIND, {"inspection_id": uuid.uuid4().hex}, total=len(kept.files))
        inspection: dict[str, Any] = {"id": job.payload["inspection_id"], "job_id": job.id, "owner": kept.owner}
        inspection |= {"name": name or kept.files[0].name, "source": source, "created_at": time.time()}
        rows = [
            {"id": uuid.uuid4().hex, "name": file.name, "file_id": file.id, "sha256": file.sha256, "origin": origin}
            for file in kept.files
        ]

        def write(conn: Connection) -> None:
            kept.insert(conn)
            jobs.insert(conn, job)
            store.insert(conn, inspection, rows)

        db.write(write)
    jobs.announce(job)
    events.tell(kept.owner, "changed", {"id": inspection["id"], "change": "created"})
    return get(inspection["id"])


def camera() -> files.Inbox:
    """Return the folder in which a camera stores images; each becomes an inspection."""
    return files.Inbox(
        BASE_DIR / current_settings().section(InspectionSettings).inspection_camera_folder,
        take=lambda image, origin: create([image], "", "camera", origin),
        known=lambda origin: db.read(lambda conn: store.taken(conn, origin)),
    )


def get(inspection_id: str) -> dict[str, Any]:
    """Return an inspection that the caller may see; raise NotFound."""
    return store.shown_inspection(_seen(inspection_id))


def _seen(inspection_id: str) -> RowMapping:
    found = db.read(lambda conn: store.get(conn, inspection_id))
    if found is None:
        raise NotFound("There is no such inspection.")
    ownership.check_seen(found["owner"], "inspection")
    return found


def listing(page: int, per_page: int) -> dict[str, Any]:
    """Return a page of what the caller may list, newest first."""
    return ownership.listing(store.newest_first(), tables.inspections.c.owner, store.shown_inspection, page, per_page)


def change(inspection_id: str, action: Callable[[str], object]) -> dict[str, Any]:
    """Cancel or requeue the job of an inspection by a function of `jobs`; raise NotFound, Forbidden or Conflict."""
    found = _seen(inspection_id)
    action(found["job_id"])
    events.tell(found["owner"], "changed", {"id": inspection_id, "change": "changed"})
    return get(inspection_id)


def images(inspection_id: str | None, shown: str | None, page: int, per_page: int) -> dict[str, Any]:
    """Return a page of images that the caller may list, newest first, with the number of each verdict."""
    owner, offset = ownership.seen_owner(), (page - 1) * per_page
    if inspection_id:
        get(inspection_id)
    found, counts = db.read(
        lambda conn: store.page_of_images(conn, owner, inspection_id, shown, limit=per_page, offset=offset),
        unbounded=True,
    )
    total = counts.get(shown, 0) if shown else sum(n for name, n in counts.items() if name != "corrected")
    items = [store.shown_image(row) for row in found]
    return {"items": items, "page": page, "per_page": per_page, "total": total, "counts": counts}


def results(inspection_id: str) -> Iterator[dict[str, Any]]:
    """Return the images of an inspection that the caller may see, in the order of the upload; raise NotFound."""
    get(inspection_id)
    return map(store.shown_image, db.read(lambda conn: store.in_order(conn, inspection_id), unbounded=True))


def image(image_id: str) -> RowMapping:
    """Return all that is known of an image that the caller may see; raise NotFound."""
    found = db.read(lambda conn: store.image(conn, image_id))
    if found is None:
        raise NotFound("There is no such image.")
    ownership.check_seen(found["owner"], "image")
    return found


def correct(image_id: str, correction: Correction) -> dict[str, Any]:
    """Store the verdict of a person, with who and when, or withdraw it; raise NotFound, Forbidden or Conflict."""
    ownership.check_changed(image(image_id)["owner"], "image")
    who, values = identity.current(), WITHDRAWN
    if correction.verdict:
        by = {"corrected_by": who.name or who.owner, "corrected_at": time.time()}
        values = {"corrected_to": correction.verdict, "note": correction.note, **by}
    row = db.write(lambda conn: store.correct(conn, image_id, values))
    if row is None:
        image(image_id)
        raise Conflict("The image has no verdict yet.")
    shown = store.shown_image(row)
    events.tell(row["owner"], "image", shown)
    return shown


def remove(inspection_id: str) -> dict[str, Any]:
    """Delete an ended inspection with its images; raise NotFound, Forbidden, or Conflict while it runs."""
    found = _seen(inspection_id)
    ownership.check_changed(found["owner"], "inspection")
    gone = db.write(lambda conn: store.remove(conn, inspection_id))
    if gone is None:
        get(inspection_id)
        raise Conflict("The inspection has not ended; cancel its job first.")
    files.erase(gone)
    events.tell(found["owner"], "changed", {"id": inspection_id, "change": "deleted"})
    return store.shown_inspection(found)
