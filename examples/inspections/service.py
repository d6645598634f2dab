"""The actions on inspections: create, show, correct and delete."""

import time
import uuid
from collections.abc import Sequence
from itertools import zip_longest
from typing import Any

from sqlalchemy import Connection

from app.features.inspections import events, store
from app.features.inspections.messages import Correction
from chassis import files, jobs
from chassis.db import db
from chassis.errors import Conflict, NotFound
from chassis.files import StoredFile
from chassis.security import identity, ownership

KIND = "inspections"
WITHDRAWN: dict[str, Any] = dict.fromkeys(("corrected_to", "corrected_by", "corrected_at", "note"))


def create(stored: Sequence[StoredFile], name: str, source: str, origins: Sequence[str] = ()) -> dict[str, Any]:
    """Store an inspection of files of one owner and queue its job, in one transaction; return it."""
    inspection_id = uuid.uuid4().hex
    job = jobs.new_job(KIND, {"inspection_id": inspection_id}, total=len(stored))
    inspection: dict[str, Any] = {"id": inspection_id, "job_id": job.id, "owner": job.submitted_by, "source": source}
    inspection |= {"name": name or stored[0].name, "created_at": time.time()}
    rows = [_row(file, origin) for file, origin in zip_longest(stored, origins)]

    def write(conn: Connection) -> None:
        jobs.insert(conn, job)
        store.insert(conn, inspection, rows)

    db.write(write)
    jobs.announce(job)
    events.tell_changed(inspection_id, job.submitted_by, "created")
    return get(inspection_id)


def get(inspection_id: str) -> dict[str, Any]:
    """Return an inspection that the caller may see; raise NotFound."""
    found = db.read(lambda conn: store.get(conn, inspection_id))
    if found is None:
        raise NotFound("There is no such inspection.")
    ownership.check_seen(found.pop("owner"), "inspection")
    return found


def listing(page: int, per_page: int) -> dict[str, Any]:
    """Return a page of what the caller may list, newest first."""
    owner, offset = ownership.seen_owner(), (page - 1) * per_page
    found, total = db.read(lambda conn: store.listing(conn, owner, limit=per_page, offset=offset))
    return {"items": found, "page": page, "per_page": per_page, "total": total}


def images(inspection_id: str | None, shown: str | None, page: int, per_page: int) -> dict[str, Any]:
    """Return a page of images that the caller may list, newest first, with the number of each verdict."""
    owner, offset = ownership.seen_owner(), (page - 1) * per_page
    if inspection_id:
        get(inspection_id)
    found, counts = db.read(
        lambda conn: store.page_of_images(conn, owner, inspection_id, shown, limit=per_page, offset=offset)
    )
    total = counts.get(shown, 0) if shown else sum(n for name, n in counts.items() if name != "corrected")
    return {"items": found, "page": page, "per_page": per_page, "total": total, "counts": counts}


def image(image_id: str) -> dict[str, Any]:
    """Return all that is known of an image that the caller may see; raise NotFound."""
    found = db.read(lambda conn: store.image(conn, image_id))
    if found is None:
        raise NotFound("There is no such image.")
    ownership.check_seen(found["owner"], "image")
    return found


def thumbnail(image_id: str) -> bytes:
    """Return the thumbnail of an image, a JPEG; raise NotFound."""
    image(image_id)
    found = db.read(lambda conn: store.thumbnail(conn, image_id))
    if found is None:
        raise NotFound("The image has no thumbnail.")
    return found


def correct(image_id: str, correction: Correction) -> dict[str, Any]:
    """Store the verdict of a person, with who and when, or withdraw it; raise NotFound, Forbidden or Conflict."""
    before = image(image_id)
    ownership.check_changed(before["owner"], "image")
    who, values = identity.current(), WITHDRAWN
    if correction.verdict:
        by = {"corrected_by": who.name or who.owner, "corrected_at": time.time()}
        values = {"corrected_to": correction.verdict, "note": correction.note, **by}
    if not db.write(lambda conn: store.correct(conn, image_id, values)):
        raise Conflict("The image has no verdict yet.")
    shown = store.shown_image({**before, **values})
    events.tell_image(before["owner"], shown)
    return shown


def remove(inspection_id: str) -> dict[str, Any]:
    """Delete an ended inspection with its images; raise NotFound, Forbidden, or Conflict while it runs."""
    found = get(inspection_id)
    job = jobs.get(found["job_id"])
    jobs.check_changed(job)
    gone = db.write(lambda conn: store.remove(conn, inspection_id))
    if not gone:
        raise Conflict("The inspection has not ended; cancel its job first.")
    for file_id in gone:
        discard(file_id)
    events.tell_changed(inspection_id, job.submitted_by, "deleted")
    return found


def discard(file_id: str) -> None:
    """Delete a stored file, unless it is gone."""
    try:
        files.delete(file_id)
    except NotFound:
        return


def _row(file: StoredFile, origin: str | None) -> dict[str, Any]:
    return {"id": uuid.uuid4().hex, "name": file.name, "file_id": file.id, "sha256": file.sha256, "origin": origin}
