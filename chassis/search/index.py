"""Passages of documents in a table, which are found by words and by vectors; both ranks are joined."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

from sqlalchemy import (
    Column,
    Connection,
    ForeignKey,
    Index,
    Integer,
    RowMapping,
    Select,
    String,
    Table,
    Text,
    case,
    select,
)

from chassis.db import metadata
from chassis.jobs import GiveUp, JobContext
from chassis.search.query import Query
from chassis.search.vectors import Vector, by_vector
from chassis.search.words import by_words

AT_ONCE = 16  # passages in a call of the model, whose vectors take up to 1 MB
CANDIDATES = 50  # of each way to search
DAMPING = 60  # reciprocal rank fusion, https://plg.uwaterloo.ca/~gvcormac/cormacksigir09-rrf.pdf


class SearchIndex:
    """The passages of a feature's documents: rows of `table`, which are deleted with their document.

    The key of the documents is `id`, of 32 characters. The migration creates the table of passages, and then calls
    `add_full_text(op, name)`. All passages of the documents that are searched are compared with each question, which
    suits thousands of pages, not millions.
    """

    def __init__(self, name: str, documents: Table) -> None:
        self._documents = documents
        self.table = Table(
            name,
            metadata,
            Column("id", Integer, primary_key=True),
            Column("document_id", String(32), ForeignKey(documents.c.id, ondelete="CASCADE"), nullable=False),
            Column("page", Integer),
            Column("text", Text, nullable=False),
            Column("embedder", Text, nullable=False),
            Column("vector", Vector, nullable=False),
            Index(f"{name}_by_document", "document_id"),
        )

    def add(
        self,
        conn: Connection,
        document_id: str,
        passages: Iterable[Mapping[str, Any]],
        vectors: Iterable[Sequence[float]],
        embedder: str,
    ) -> None:
        """Store passages (`page`, `text`) with a vector each, which the model `embedder` made."""
        of = {"document_id": document_id, "embedder": embedder}
        rows = [{**of, **one, "vector": list(vector)} for one, vector in zip(passages, vectors, strict=True)]
        conn.execute(self.table.insert(), rows)

    def fill(
        self,
        context: JobContext,
        document_id: str,
        passages: Sequence[Mapping[str, Any]],
        embed: Callable[[list[str]], list[list[float]]],
        embedder: str,
    ) -> None:
        """In a job, replace a document's passages (`page`, `text`); `embed(texts)` makes vectors by `embedder`.

        Raises GiveUp when the document was deleted, and JobStopped.
        """
        self._change(context, document_id, lambda conn: self.clear(conn, document_id))
        for start in range(0, len(passages), AT_ONCE):
            context.check()
            context.progress(start, len(passages), "embedding")
            some = passages[start : start + AT_ONCE]
            vectors = embed([one["text"] for one in some])
            add = partial(self.add, document_id=document_id, passages=some, vectors=vectors, embedder=embedder)
            self._change(context, document_id, add)

    def clear(self, conn: Connection, document_id: str) -> None:
        """Delete the passages of a document."""
        conn.execute(self.table.delete().where(self.table.c.document_id == document_id))

    def delete(self, conn: Connection, within: Select[Any], limit: int) -> int:
        """Delete up to `limit` passages of the documents whose ids a query finds; return their number."""
        some = select(self.table.c.id).where(self.table.c.document_id.in_(within)).limit(limit)
        return conn.execute(self.table.delete().where(self.table.c.id.in_(some))).rowcount

    def search(self, conn: Connection, query: Query, also: Sequence[Column[Any]] = ()) -> list[RowMapping]:
        """Return the passages (`document_id`, `page`, `text`) that fit a query, the best first.

        `also` are columns of their documents to return.
        """
        ranks = (by_words(conn, self.table, query, CANDIDATES), by_vector(conn, self.table, query, CANDIDATES))
        return self._rows(conn, _joined(ranks)[: query.most], also)

    def _change(self, context: JobContext, document_id: str, work: Callable[[Connection], object]) -> None:
        """Change passages of a document that is still there, and stays until that is done; raise GiveUp otherwise."""
        document = select(self._documents.c.id).where(self._documents.c.id == document_id).with_for_update()

        def write(conn: Connection) -> None:
            if conn.execute(document).first() is None:
                raise GiveUp("The document was deleted.")
            work(conn)

        context.write(write)

    def _rows(self, conn: Connection, ids: list[int], also: Sequence[Column[Any]]) -> list[RowMapping]:
        c = self.table.c
        found = select(c.document_id, c.page, c.text, *also).join(self._documents)
        order = case({one: rank for rank, one in enumerate(ids)}, value=c.id)
        return list(conn.execute(found.where(c.id.in_(ids)).order_by(order)).mappings()) if ids else []


def _joined(ranks: Iterable[list[int]]) -> list[int]:
    """Return the ids of several ranks in the order of their joined rank."""
    scores = defaultdict[int, float](float)
    for ids in ranks:
        for rank, one in enumerate(ids):
            scores[one] += 1 / (DAMPING + rank)
    return sorted(scores, key=lambda one: (-scores[one], one))
