"""Snapshots to start from, and whether a port is closed."""

import hashlib
import socket
import sqlite3
from contextlib import closing

from chassis.tests.servers import migrated_database


def refused(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


def snapshot(tmp_path, *statements):
    path = tmp_path / "seed.db"
    path.write_bytes(migrated_database())
    for statement in ("PRAGMA journal_mode=DELETE", "CREATE TABLE seeded (n INTEGER)", *statements):
        sql(path, statement)
    return path.as_uri(), hashlib.sha256(path.read_bytes()).hexdigest()


def sql(path, statement):
    with closing(sqlite3.connect(path)) as connection, connection:
        return connection.execute(statement).fetchone()
