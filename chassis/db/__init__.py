"""The database: `db.read(fn)` and `db.write(fn)` call a function with a connection."""

from chassis.db.buffer import RowBuffer
from chassis.db.database import Database
from chassis.db.grouped import Grouped
from chassis.db.tables import metadata

db = Database()
"""The database of the service, a `Database`."""

__all__ = ["Database", "Grouped", "RowBuffer", "db", "metadata"]
