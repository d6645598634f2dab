"""Albums in both kinds of database, with and without the extension that compares vectors."""

import pytest

from chassis.tests.search.albums import albums_in
from chassis.tests.services import psql


@pytest.fixture(params=["sqlite", "postgresql"])
def albums(request, tmp_path):
    """Albums in a database of each kind, as it is installed here."""
    url = f"sqlite:///{tmp_path}/app.db"
    with albums_in(request.getfixturevalue("postgres_url") if request.param == "postgresql" else url) as albums:
        yield albums


@pytest.fixture
def compared(postgres_url):
    """Albums in PostgreSQL with pgvector."""
    if not psql(postgres_url, "SELECT 1 FROM pg_available_extensions WHERE name = 'vector'"):
        pytest.skip("pgvector is not installed (apt-get install postgresql-17-pgvector, from Debian 13 on)")
    with albums_in(postgres_url, "CREATE EXTENSION vector") as albums:
        yield albums
