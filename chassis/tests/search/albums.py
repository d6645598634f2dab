"""An index of the tests' own, in databases of both kinds."""

from contextlib import contextmanager

from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Column, MetaData, String, Table, Text, select

from chassis.db import Database, metadata
from chassis.search import BUILT_IN, Query, SearchIndex, add_full_text, embedded
from chassis.settings import Settings

TEXTS = ["Cats purr when they are content.", "The invoice is due in thirty days.", "Dogs bark at night."]


class Albums:
    """Documents of owners, with an index of their passages."""

    def __init__(self, url):
        self.db = Database()
        self.db.open(Settings(database_url=url))
        columns = (Column("id", String(32), primary_key=True), Column("owner", Text), Column("title", Text))
        self.table = Table("albums", MetaData(), *columns)
        self.index = SearchIndex("album_passages", self.table)

    def create(self, *statements):
        def write(conn):
            for statement in statements:
                conn.exec_driver_sql(statement)
            self.table.create(conn)
            self.index.table.create(conn)
            add_full_text(Operations(MigrationContext.configure(conn)), "album_passages")

        self.db.write(write)

    def add(self, owner="ada", texts=TEXTS, embedder=BUILT_IN, vectors=None):
        def write(conn):
            conn.execute(self.table.insert(), {"id": owner, "owner": owner, "title": f"of {owner}"})
            passages = [{"page": page, "text": text} for page, text in enumerate(texts, 1)]
            self.index.add(conn, owner, passages, vectors or embedded(texts), embedder)

        self.db.write(write)

    def query(self, text, *, owner="ada", vector=None, embedder=BUILT_IN, farthest=2.0, most=3):
        within = select(self.table.c.id).where(self.table.c.owner == owner)
        return Query(text, vector or embedded([text])[0], embedder, within, farthest, most)

    def found(self, text, **options):
        """Return the texts that are found, the best first."""
        query = self.query(text, **options)
        return [row["text"] for row in self.db.read(lambda conn: self.index.search(conn, query), unbounded=True)]


@contextmanager
def albums_in(url, *statements):
    """Yield albums in an empty database."""
    albums = Albums(url)
    try:
        albums.create(*statements)
        yield albums
    finally:
        albums.db.close()
        metadata.remove(albums.index.table)
