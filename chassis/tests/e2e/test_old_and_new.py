"""Two releases of a service side by side on one database, as in a rolling update: docs/deploy.md, "Migrations"."""

import re
import shutil
import sys

import pytest

from chassis.tests.conftest import CLEAN, ROOT, Server, free_port
from chassis.tests.servers import same_in_every_mode

pytestmark = [pytest.mark.server, same_in_every_mode]
# A column `text` becomes `title`, in three updates: add it, fill it, drop the old one.
WRITES = {1: ("text",), 2: ("text", "title"), 3: ("title",), 4: ("title",)}
READS = {1: "text", 2: "coalesce(title, text)", 3: "title", 4: "title"}
MIGRATIONS = {
    1: 'op.create_table("notes", sa.Column("id", sa.Integer, primary_key=True), sa.Column("text", sa.Text))',
    2: 'op.add_column("notes", sa.Column("title", sa.Text))',
    3: 'op.execute("UPDATE notes SET title = text WHERE title IS NULL")',
    4: 'op.drop_column("notes", "text")',
}
FEATURE = """
from flask import jsonify, request
from sqlalchemy import text
from chassis.db import db
from chassis.hooks import Hooks

def register(hooks: Hooks) -> None:
    @hooks.app.post("/api/notes")
    def add():
        note = request.get_json()["note"]
        db.write(lambda conn: conn.execute(text("INSERT INTO notes ({names}) VALUES ({values})"), {{"note": note}}))
        return jsonify(ok=True), 201

    @hooks.app.get("/api/notes")
    def listed():
        found = db.read(lambda conn: conn.execute(text("SELECT {reads} FROM notes ORDER BY id")).scalars().all())
        return jsonify(list(found))
"""


def release(number, folder):
    """Return a folder with a service of one feature, at that release."""
    clone = folder / f"release-{number}"
    left_out = shutil.ignore_patterns("tests", "__pycache__", "data")
    for name in ("app", "chassis"):
        shutil.copytree(ROOT / name, clone / name, ignore=left_out)
    for name in ("wsgi.py", "gunicorn_config.py"):
        shutil.copy(ROOT / name, clone)
    service = clone / "app/__init__.py"
    service.write_text(re.sub(r"parts=\([^)]*\)", "parts=()", service.read_text()))
    for other in (clone / "app/features").glob("*/"):
        shutil.rmtree(other)
    feature = clone / "app/features/notes"
    (feature / "migrations").mkdir(parents=True)
    names, values = ", ".join(WRITES[number]), ", ".join(":note" for _ in WRITES[number])
    (feature / "__init__.py").write_text(FEATURE.format(names=names, values=values, reads=READS[number]))
    for one in range(1, number + 1):
        (feature / f"migrations/{one:04}_notes.py").write_text(
            f"import sqlalchemy as sa\nfrom alembic import op\n"
            f'revision = "{one:04}"\ndown_revision = {f"{one - 1:04}" if one > 1 else None!r}\n'
            f"def upgrade() -> None:\n    {MIGRATIONS[one]}\n"
        )
    return clone


@pytest.fixture(params=["sqlite", "postgresql"])
def start(request, tmp_path):
    """Return a function that starts a release beside those that run, on the same database."""
    postgres = request.param == "postgresql"
    database = request.getfixturevalue("postgres_url") if postgres else f"sqlite:///{tmp_path}/shared.db"
    running = []

    def of(number):
        clone = release(number, tmp_path)
        command = ["env", "-C", str(clone), sys.executable, "-m", "gunicorn", "-c", "gunicorn_config.py", "wsgi:app"]
        env = {**CLEAN, "APP_ENV": "test", "PORT": str(free_port()), "DATABASE_URL": database, "PYTHONPATH": ""}
        running.append(Server(tmp_path, command, env))
        return running[-1].wait_ready()

    yield of
    for server in running:
        server.stop()


@pytest.mark.long
def test_each_release_serves_beside_the_one_before_it(start):
    old, notes = start(1), []

    def write(server, note):
        assert server.post("/api/notes", {"note": note})[0] == 201, server.log
        notes.append(note)

    write(old, "by 1 alone")
    for number in (2, 3, 4):
        new = start(number)
        for server in (old, new, old):
            write(server, f"beside {number}")
        assert old.json("/api/notes") == new.json("/api/notes") == notes
        assert old.get("/readyz")[0] == 200
        assert old.stop() == 0
        old = new
    assert old.json("/api/notes") == notes


def test_to_expand_and_contract_at_once_breaks_the_old_code(start):
    old, new = start(1), start(4)
    assert new.post("/api/notes", {"note": "one"})[0] == 201
    assert old.post("/api/notes", {"note": "two"})[0] == 500
