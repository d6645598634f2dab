"""The job that reads a document: cut into chunks by another process, embedded, and stored for the search."""

import time
from typing import Any

from app.features.chat import library, reading
from app.features.chat.documents import KIND
from app.features.chat.model import model
from chassis import files
from chassis.db import db
from chassis.jobs import JobContext, job

AT_ONCE = 16  # chunks in a call of the embedding model, whose vectors take up to 1 MB


@job(KIND, stall="requeue", max_attempts=3)
def run(context: JobContext, payload: dict[str, Any]) -> None:
    """Read one document."""
    index(context, payload["document_id"])


def index(context: JobContext, document_id: str) -> None:
    """Store the chunks of a document; raise Unreadable or UpstreamError with a sentence for its owner."""
    if not db.write(lambda conn: library.begin(conn, document_id, model.embedder)):
        return  # deleted meanwhile
    found = list(reading.chunks(files.seen(document_id), context))
    for start in range(0, len(found), AT_ONCE):
        context.check()
        context.progress(start, len(found), "embedding")
        some = found[start : start + AT_ONCE]
        vectors = model.embed([chunk["text"] for chunk in some], lambda: context.cancelled)
        rows = [{**chunk, "vector": vector} for chunk, vector in zip(some, vectors, strict=True)]
        if not db.write(lambda conn: library.add(conn, document_id, rows)):  # noqa: B023
            return
    db.write(lambda conn: library.end(conn, document_id, time.time()))
    context.progress(len(found), len(found), f"{len(found):,} chunks")
