"""Searches an owner's documents by words and by vectors, and joins both ranks.

Words are found by SQLite's FTS5 or PostgreSQL's full-text search, vectors by the extensions sqlite-vec or pgvector.
Without the extension, words alone are searched; `described` says which of these is in use.
"""

from collections import defaultdict
from collections.abc import Sequence
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from sqlalchemy import Connection, bindparam, select, text

from app.features.chat.tables import chunks, documents
from app.features.chat.vectors import Vector, words_of
from chassis.db import db

CANDIDATES = 50
MOST_WORDS = 40
DAMPING = 60  # reciprocal rank fusion, https://plg.uwaterloo.ca/~gvcormac/cormacksigir09-rrf.pdf
NAMES = {"sqlite": ("SQLite's FTS5", "sqlite-vec"), "postgresql": ("PostgreSQL's full-text search", "pgvector")}
OWN = "SELECT c.id FROM chat_chunks c JOIN chat_documents d ON d.id = c.document_id AND d.owner = :owner"
TEXT = "to_tsvector('english', c.text)"
QUERY = "to_tsquery('english', :words)"
BY_WORDS = {
    "sqlite": f"{OWN} JOIN chat_words w ON w.rowid = c.id WHERE w.text MATCH :words ORDER BY w.rank LIMIT :most",
    "postgresql": f"{OWN} WHERE {TEXT} @@ {QUERY} ORDER BY ts_rank({TEXT}, {QUERY}) DESC LIMIT :most",
}
DISTANCE = {
    "sqlite": "vec_distance_cosine(c.vector, :vector)",
    "postgresql": "CAST(c.vector AS vector) <=> CAST(CAST(:vector AS real[]) AS vector)",
}
SHOWN = ("document_id", "name", "page", "text")
sqlite_vec: Any = import_module("sqlite_vec") if find_spec("sqlite_vec") else None


def search(owner: str, question: str, vector: Sequence[float], embedder: str, most: int) -> list[dict[str, Any]]:
    """Return the chunks that fit a question best, numbered from 1, as the sources of an answer."""
    asked = {"owner": owner, "words": words_of(question)[:MOST_WORDS], "most": CANDIDATES}
    asked |= {"embedder": embedder, "vector": list(vector)}
    found = db.read(lambda conn: _found(conn, asked, most), unbounded=True)
    return [{"number": number, **row} for number, row in enumerate(found, start=1)]


def described() -> str:
    """Return which ways of searching are in use, as a sentence."""
    name, has_vectors = db.read(lambda conn: (conn.dialect.name, _has_vectors(conn)), unbounded=True)
    words, vectors = NAMES[name]
    if has_vectors:
        return f"Documents are searched by {words} and by vectors with {vectors}."
    return f"Documents are searched by {words}, and not by vectors, since {vectors} is not available."


def _found(conn: Connection, asked: dict[str, Any], most: int) -> list[dict[str, Any]]:
    scores = defaultdict[int, float](float)
    for ids in (_by_words(conn, asked), _by_vector(conn, asked)):
        for rank, chunk in enumerate(ids):
            scores[chunk] += 1 / (DAMPING + rank)
    best = sorted(scores, key=lambda chunk: (-scores[chunk], chunk))[:most]
    query = select(chunks.c.id, documents.c.id.label("document_id"), documents.c.name, chunks.c.page, chunks.c.text)
    rows = {row.id: row for row in conn.execute(query.join(documents).where(chunks.c.id.in_(best)))}
    return [{name: getattr(rows[chunk], name) for name in SHOWN} for chunk in best]


def _by_words(conn: Connection, asked: dict[str, Any]) -> list[int]:
    if not asked["words"]:
        return []
    quote, either = ('"', " OR ") if conn.dialect.name == "sqlite" else ("'", " | ")
    words = either.join(f"{quote}{word}{quote}" for word in asked["words"])
    return list(conn.execute(text(BY_WORDS[conn.dialect.name]), {**asked, "words": words}).scalars())


def _by_vector(conn: Connection, asked: dict[str, Any]) -> list[int]:
    if not _has_vectors(conn):
        return []
    query = text(f"{OWN} WHERE d.embedder = :embedder ORDER BY {DISTANCE[conn.dialect.name]} LIMIT :most")
    return list(conn.execute(query.bindparams(bindparam("vector", type_=Vector)), asked).scalars())


def _has_vectors(conn: Connection) -> bool:
    """Return whether the database compares vectors; SQLite loads the extension into the connection."""
    if conn.dialect.name == "postgresql":
        return conn.execute(text("SELECT 1 FROM pg_extension WHERE extname = 'vector'")).first() is not None
    connection: Any = conn.connection.driver_connection
    if sqlite_vec is None or not hasattr(connection, "enable_load_extension"):
        return False  # not installed, or a Python that was built without extensions
    connection.enable_load_extension(True)
    sqlite_vec.load(connection)
    connection.enable_load_extension(False)
    return True
