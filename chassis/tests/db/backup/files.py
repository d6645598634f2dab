"""Files of backups and databases, as the tests fill, list and unpack them."""

import sqlite3
import time
from contextlib import closing

from chassis.base.compression import zstd
from chassis.db.backup.model import name_at

SAID = r"app-\d{8}T\d{6}Z\.db\.zst"
DAY = 86_400


def quiet(_line):
    """Report to nobody."""


def fill(path, *, rows=2000):
    """Add weight that hardly packs."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE weights (weight BLOB)")
        connection.executemany("INSERT INTO weights VALUES (randomblob(1000))", [()] * rows)
        connection.commit()


def names(folder):
    return sorted(path.name for path in folder.iterdir() if path.name != ".lock")


def unpacked(folder, name, target):
    target.write_bytes(zstd.decompress((folder / name).read_bytes()))
    return target


def rows(path, table):
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(f"SELECT * FROM {table}").fetchall()


def put(folder, days, *, stem="app"):
    """Put what looks like a backup of so many days ago there."""
    folder.mkdir(exist_ok=True)
    name = name_at(stem, time.time() - days * DAY, "db.zst")
    for one in (name, f"{name}.sha256"):
        (folder / one).write_text("x")
    return name
