"""Inspects the images of a batch, several at once; each verdict is stored and told as soon as it is there."""

import base64
import time
from pathlib import Path
from typing import Any

from prometheus_client import Counter
from sqlalchemy import Connection, RowMapping

from app.features.inspections import events, store
from app.features.inspections.settings import InspectionSettings
from chassis import files
from chassis.db import db
from chassis.errors import NotFound
from chassis.jobs import JobContext, Processes, ProcessFailed, side_by_side
from chassis.settings import Settings
from chassis.wiring import current_settings, kept

IMAGES = Counter("inspection_images_total", "Inspected images.", ["outcome"])


class Pool(Processes):
    """The processes that classify, of which an application keeps one set."""

    def __init__(self, settings: Settings) -> None:
        own = settings.section(InspectionSettings)
        most, seconds = own.inspection_max_concurrent, own.inspection_time_limit_seconds
        folder, target = Path(__file__).parent, "classifying:classifier"
        super().__init__(folder, target, own.inspection_classifier, most=most, seconds=seconds)


def inspect(context: JobContext, inspection_id: str) -> None:
    """Classify every image without an outcome, in chunks, so that a large batch is never in memory as a whole.

    A second attempt goes on where the first one stopped. An image that cannot be classified fails alone.
    """
    own, pool = current_settings().section(InspectionSettings), kept(Pool)

    def work(image: RowMapping) -> None:
        _store(context, image["id"], _outcome(context, pool, image, own))

    def chunk(conn: Connection) -> store.Rows:
        return store.in_order(conn, inspection_id, store.WAITS, limit=own.inspection_chunk_images)

    while images := db.read(chunk):
        side_by_side(context, images, work, pool.size)


def _outcome(context: JobContext, pool: Pool, image: RowMapping, own: InspectionSettings) -> dict[str, Any]:
    """Return the values of an image's row: its verdict, or why it has none."""
    if found := _known(image, own):
        return {"status": store.DONE, **found, "cached": True}
    values = {"classifier": own.inspection_classifier}
    try:
        return values | {"status": store.DONE, **_classified(context, pool, image["file_id"])}
    except (ProcessFailed, NotFound) as error:
        return values | {"status": store.FAILED, "detail": f"Not classified. {error.message}"}


def _known(image: RowMapping, own: InspectionSettings) -> RowMapping | None:
    if not own.inspection_cache_seconds:
        return None
    since = time.time() - own.inspection_cache_seconds
    return db.read(lambda conn: store.known(conn, image, own.inspection_classifier, since))


def _classified(context: JobContext, pool: Pool, file_id: str) -> dict[str, Any]:
    with files.local(files.seen(file_id)) as path:
        answer = pool.ask(str(path.absolute()), context)
    return {**answer, "thumbnail": base64.b64decode(answer["thumbnail"])}


def _store(context: JobContext, image_id: str, outcome: dict[str, Any]) -> None:
    """Store the outcome unless there is one, and tell viewers."""
    values = {**outcome, "finished_at": time.time()}
    found = db.write(lambda conn: store.finish(conn, image_id, values))
    if found is None:
        return
    row, done, total = found
    IMAGES.labels(outcome.get("verdict", store.FAILED)).inc()
    events.tell(row["owner"], "image", store.shown_image(row))
    context.progress(done, total)
