"""The search for words: SQLite's FTS5, or PostgreSQL's full-text search."""

import re
from typing import Any, Protocol

from sqlalchemy import ColumnElement, Connection, Select, Table, column, func, literal_column, select, table

from chassis.search.query import Query

MOST_WORDS = 40  # of a question
WORD = re.compile(r"\w{1,100}")  # PostgreSQL refuses to look for words of more than 2 kB
COMMON = """
a about after again all also am an and any are as at be because been before being between both but by can could
did do does doing down during each few for from further had has have having he her here hers him his how i if in
into is it its itself just let many may me might more most much must my myself no nor not now of off on once
only or other our ours out over own same she should since so some such tell than that the their theirs them then
there these they this those through to too under until up us very was we were what when where which while who
whom whose why will with without would you your yours
"""
IGNORED = frozenset(COMMON.split())  # FTS5 has no list of words that say nothing
ENGLISH: ColumnElement[str] = literal_column("'english'")  # as in the index
POSTGRESQL = ("CREATE INDEX {name}_by_words ON {name} USING gin (to_tsvector('english', text))",)
SQLITE = (
    "CREATE VIRTUAL TABLE {name}_words USING fts5(text, content='{name}', content_rowid='id', tokenize='porter')",
    "CREATE TRIGGER {name}_added AFTER INSERT ON {name} BEGIN "
    "INSERT INTO {name}_words (rowid, text) VALUES (new.id, new.text); END",
    "CREATE TRIGGER {name}_removed AFTER DELETE ON {name} BEGIN "
    "INSERT INTO {name}_words ({name}_words, rowid, text) VALUES ('delete', old.id, old.text); END",
)


class Operations(Protocol):
    """What a migration has as `alembic.op`."""

    def get_context(self) -> Any:
        """Return what knows the kind of database."""

    def execute(self, sqltext: Any) -> Any:
        """Run a statement."""


def add_full_text(op: Operations, name: str) -> None:
    """In a migration, index the words of the column `text` of a table whose key is `id`; rows must not be updated.

    `op` is `alembic.op`. Call it after `op.create_table`. Dropping the table drops the index on PostgreSQL; on SQLite
    drop the table `<name>_words`, too.
    """
    is_sqlite = op.get_context().dialect.name == "sqlite"
    for statement in SQLITE if is_sqlite else POSTGRESQL:
        op.execute(statement.format(name=name))


def words_of(text: str) -> list[str]:
    """Return the words of a text in lower case, without the most common English ones."""
    return [word for word in WORD.findall(text.lower()) if word not in IGNORED]


def by_words(conn: Connection, passages: Table, query: Query, most: int) -> list[int]:
    """Return the ids of the passages that contain words of a query, those that fit best first."""
    words = words_of(query.text)[:MOST_WORDS]
    if not words:
        return []
    found = (_in_sqlite if conn.dialect.name == "sqlite" else _in_postgresql)(passages, words)
    return list(conn.execute(found.where(passages.c.document_id.in_(query.within)).limit(most)).scalars())


def _in_sqlite(passages: Table, words: list[str]) -> Select[Any]:
    name = f"{passages.name}_words"
    indexed = table(name, column("rowid"), column("rank"), column(name))
    query = " OR ".join(f'"{word}"' for word in words)
    found = select(passages.c.id).join(indexed, indexed.c.rowid == passages.c.id)
    return found.where(indexed.c[name].op("MATCH")(query)).order_by(indexed.c.rank, passages.c.id)


def _in_postgresql(passages: Table, words: list[str]) -> Select[Any]:
    text = func.to_tsvector(ENGLISH, passages.c.text)
    query = func.to_tsquery(ENGLISH, " | ".join(f"'{word}'" for word in words))
    return select(passages.c.id).where(text.op("@@")(query)).order_by(func.ts_rank(text, query).desc(), passages.c.id)
