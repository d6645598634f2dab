"""The job that reads a document: its passages are read by another process, embedded, and stored for the search."""

import time
from typing import Any

from app.features.chat import library
from app.features.chat.documents import KIND
from app.features.chat.model import model
from app.features.chat.tables import index
from chassis import files
from chassis.db import db
from chassis.jobs import JobContext, job


@job(KIND, stall="requeue", max_attempts=3)
def read(context: JobContext, payload: dict[str, Any]) -> None:
    """Make a document searchable; raise Unreadable or UpstreamError with a sentence for its owner."""
    document_id = payload["document_id"]
    passages = list(files.passages(files.seen(document_id), context))

    def embed(texts: list[str]) -> list[list[float]]:
        return model.embed(texts, lambda: context.cancelled)

    index.fill(context, document_id, passages, embed, model.embedder)
    read = {"passages": len(passages), "indexed_at": time.time()}
    db.write(lambda conn: library.change(conn, document_id, **read))
    context.progress(len(passages), len(passages), f"{len(passages):,} passages")
