"""Finds the passages of an owner's documents that fit a question."""

from collections.abc import Sequence
from typing import Any

from app.features.chat import library
from app.features.chat.model import model
from app.features.chat.tables import documents, index
from chassis.db import db
from chassis.search import Query


def search(owner: str, question: str, vector: Sequence[float]) -> list[dict[str, Any]]:
    """Return the passages that fit a question best, numbered from 1, as the sources of an answer."""
    mine = library.read_by(owner)
    query = Query(question, vector, model.embedder, mine, farthest=model.farthest, most=model.excerpts)
    found = db.read(lambda conn: index.search(conn, query, [documents.c.name]), unbounded=True)
    return [{"number": number, **source} for number, source in enumerate(found, start=1)]
