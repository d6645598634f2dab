"""Huey with SQLite."""

import os

from huey import SqliteHuey
from jobs_peers import trivial

huey = SqliteHuey(filename=f"{os.environ['FOLDER']}/huey.db", results=False)
send = huey.task()(trivial)
