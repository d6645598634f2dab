"""Searches an owner's documents by words and by vectors, and joins both ranks.

Words are found by SQLite's FTS5 or PostgreSQL's full-text search. Vectors are compared by the extensions sqlite-vec or
pgvector; without them, they order what was found by words. `described` says which of these is in use.
"""

from array import array
from collections import defaultdict
from collections.abc import Sequence
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from sqlalchemy import Connection, RowMapping, select, text

from app.features.chat.tables import chunks, documents
from app.features.chat.vectors import similarity, words_of
from chassis.db import db

CANDIDATES = 50
MOST_WORDS = 40
DAMPING = 60  # reciprocal rank fusion, https://plg.uwaterloo.ca/~gvcormac/cormacksigir09-rrf.pdf
EXTENSIONS = {"sqlite": "sqlite-vec", "postgresql": "pgvector"}
BY_WORDS = {
    "sqlite": "SELECT c.id FROM chat_words JOIN chat_chunks c ON c.id = chat_words.rowid "
    "JOIN chat_documents d ON d.id = c.document_id "
    "WHERE chat_words MATCH :query AND d.owner = :owner ORDER BY chat_words.rank LIMIT :most",
    "postgresql": "SELECT c.id FROM chat_chunks c JOIN chat_documents d ON d.id = c.document_id "
    "WHERE to_tsvector('english', c.text) @@ to_tsquery('english', :query) AND d.owner = :owner "
    "ORDER BY ts_rank(to_tsvector('english', c.text), to_tsquery('english', :query)) DESC LIMIT :most",
}
BY_VECTOR = {
    "sqlite": "SELECT c.id FROM chat_chunks c JOIN chat_documents d ON d.id = c.document_id "
    "WHERE d.owner = :owner AND d.embedder = :embedder "
    "ORDER BY vec_distance_cosine(c.vector, :vector) LIMIT :most",
    "postgresql": "SELECT c.id FROM chat_chunks c JOIN chat_documents d ON d.id = c.document_id "
    "WHERE d.owner = :owner AND d.embedder = :embedder "
    "ORDER BY CAST(c.vector AS vector) <=> CAST(CAST(:vector AS real[]) AS vector) LIMIT :most",
}
sqlite_vec: Any = import_module("sqlite_vec") if find_spec("sqlite_vec") else None


def search(owner: str, question: str, vector: Sequence[float], embedder: str, most: int) -> list[dict[str, Any]]:
    """Return the chunks that fit a question best, numbered from 1, as the sources of an answer."""
    asked = {"owner": owner, "embedder": embedder, "most": CANDIDATES}
    words = words_of(question)[:MOST_WORDS]
    found = db.read(lambda conn: _found(conn, asked, words, list(vector)), unbounded=True)
    return [_source(number, row) for number, row in enumerate(found[:most], start=1)]


def described() -> str:
    """Return which ways of searching are in use, as a sentence."""
    name, vectors = db.read(lambda conn: (conn.dialect.name, _has_vectors(conn)), unbounded=True)
    words = {"sqlite": "SQLite's FTS5", "postgresql": "PostgreSQL's full-text search"}[name]
    if vectors:
        return f"Documents are searched by {words} and by vectors with {EXTENSIONS[name]}."
    return f"Documents are searched by {words}; vectors order what it finds, since {EXTENSIONS[name]} is not available."


def _found(conn: Connection, asked: dict[str, Any], words: list[str], vector: list[float]) -> list[RowMapping]:
    by_words = _by_words(conn, asked, words)
    by_vector = _by_vector(conn, asked, vector) if _has_vectors(conn) else None
    rows = _rows(conn, {*by_words, *(by_vector or ())})
    if by_vector is None:
        same = [chunk for chunk in by_words if rows[chunk]["embedder"] == asked["embedder"]]
        by_vector = sorted(same, key=lambda chunk: -similarity(rows[chunk]["vector"], vector))
    scores = defaultdict[int, float](float)
    for ranked in (by_words, by_vector):
        for rank, chunk in enumerate(ranked):
            scores[chunk] += 1 / (DAMPING + rank)
    return [rows[chunk] for chunk in sorted(scores, key=lambda chunk: (-scores[chunk], chunk))]


def _by_words(conn: Connection, asked: dict[str, Any], words: list[str]) -> list[int]:
    joined = " OR " if conn.dialect.name == "sqlite" else " | "
    query = joined.join(f'"{word}"' if conn.dialect.name == "sqlite" else f"'{word}'" for word in words)
    return _ids(conn, BY_WORDS, {**asked, "query": query}) if words else []


def _by_vector(conn: Connection, asked: dict[str, Any], vector: list[float]) -> list[int]:
    given = array("f", vector).tobytes() if conn.dialect.name == "sqlite" else vector
    return _ids(conn, BY_VECTOR, {**asked, "vector": given})


def _ids(conn: Connection, statements: dict[str, str], asked: dict[str, Any]) -> list[int]:
    return list(conn.execute(text(statements[conn.dialect.name]), asked).scalars())


def _rows(conn: Connection, ids: set[int]) -> dict[int, RowMapping]:
    columns = (documents.c.id.label("document_id"), documents.c.file_id, documents.c.name, documents.c.embedder)
    query = select(chunks.c.id, chunks.c.page, chunks.c.text, chunks.c.vector, *columns).join(documents)
    return {row["id"]: row for row in conn.execute(query.where(chunks.c.id.in_(ids))).mappings()}


def _source(number: int, row: RowMapping) -> dict[str, Any]:
    shown = ("document_id", "file_id", "name", "page", "text")
    return {"number": number, **{name: row[name] for name in shown}}


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
