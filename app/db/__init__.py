"""The database: `db.read(fn)` and `db.write(fn)` take a function of a connection."""

from app.db.database import Database
from app.db.tables import metadata

db = Database()

__all__ = ["Database", "db", "metadata"]
