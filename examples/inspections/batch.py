"""Inspects the images of a batch, several at once; each verdict is stored and told as soon as it is there."""

import base64
import time
from pathlib import Path
from typing import Any

from prometheus_client import Counter

from app.features.inspections import events, store
from app.features.inspections.settings import InspectionSettings
from app.features.inspections.store import DONE, FAILED, Found
from chassis import files
from chassis.db import db
from chassis.errors import NotFound
from chassis.jobs import JobContext, Processes, ProcessFailed, side_by_side
from chassis.settings import Settings
from chassis.wiring import current_settings, kept

IMAGES = Counter("inspection_images_total", "Inspected images.", ["outcome"])
CACHE_LOOKUPS = Counter("inspection_cache_lookups_total", "Lookups of verdicts of the same content.", ["result"])
Image = dict[str, Any]


def inspect(context: JobContext, inspection_id: str) -> None:
    """Classify every image without an outcome, in chunks, so that a large batch is never in memory as a whole.

    A second attempt goes on where the first one stopped. An image that cannot be classified fails alone.
    """
    own = current_settings().section(InspectionSettings)
    pool = kept(Processes)

    def work(image: Image) -> None:
        _store(context, image["id"], _outcome(context, pool, image, own))

    while chunk := db.read(lambda conn: store.unfinished(conn, inspection_id, own.inspection_chunk_images)):
        side_by_side(context, chunk, work, pool.size)


def _outcome(context: JobContext, pool: Processes, image: Image, own: InspectionSettings) -> Image:
    """Return the values of an image's row: its verdict, or why it has none."""
    classifier = own.inspection_classifier
    try:
        found = _known(image, own) or _classified(context, pool, image, classifier)
    except (ProcessFailed, NotFound) as error:
        return {"status": FAILED, "detail": f"Not classified. {error.message}", "classifier": classifier}
    return {"status": DONE, **vars(found)}


def _known(image: Image, own: InspectionSettings) -> Found | None:
    if not own.inspection_cache_seconds:
        return None
    since = time.time() - own.inspection_cache_seconds
    found = db.read(lambda conn: store.known(conn, image["sha256"], own.inspection_classifier, since))
    CACHE_LOOKUPS.labels("hit" if found else "miss").inc()
    return found


def _classified(context: JobContext, pool: Processes, image: Image, classifier: str) -> Found:
    with files.local(files.seen(image["file_id"])) as path:
        answer = pool.ask(str(path.absolute()), context)
    return Found(**{**answer, "thumbnail": base64.b64decode(answer["thumbnail"])}, classifier=classifier)


def pool_of(settings: Settings) -> Processes:
    """Return the pool of processes that the settings describe."""
    own = settings.section(InspectionSettings)
    return Processes(
        Path(__file__).parent,
        "classifying:classifier",
        own.inspection_classifier,
        most=own.inspection_max_concurrent,
        seconds=own.inspection_time_limit_seconds,
    )


def _store(context: JobContext, image_id: str, outcome: Image) -> None:
    """Store the outcome unless there is one, and tell viewers."""
    values = {**outcome, "finished_at": time.time()}
    found = db.write(lambda conn: store.finish(conn, image_id, values))
    if found is None:
        return
    row, done, total = found
    IMAGES.labels(outcome.get("verdict", FAILED)).inc()
    events.tell_image(row["owner"], store.shown_image(row))
    context.progress(done, total)
