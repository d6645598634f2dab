"""DATABASE_URL has one meaning: whatever its shape, each command works on the file or server that the service uses."""

import subprocess
import sys

import pytest

from app import create_app
from chassis import boot
from chassis.base.database_url import busy_seconds, file_of, normal, problem
from chassis.base.environment import BASE_DIR
from chassis.db import db
from chassis.settings import Settings
from chassis.tests.servers import CLEAN, ROOT
from chassis.wiring import settings_of

SHAPES = ["sqlite:///{}", "sqlite:///{}?timeout=30", "sqlite+pysqlite:///{}", "SQLite:///{}?timeout=0.5"]
COMMANDS = """
db upgrade
db status
keys list
db backup
db backups
db verify latest
db restore latest --yes
db status
audit verify
"""


@pytest.fixture
def opened():
    """Return a function that makes the application with a URL."""
    yield lambda url: create_app(Settings(app_env="test", database_url=url))
    db.close()


def run(app, line):
    found = app.test_cli_runner().invoke(args=line.split())
    assert found.exit_code == 0, f"{line}: {found.output}"
    return found.output


@pytest.mark.parametrize("shape", SHAPES)
def test_every_command_works_on_the_file_that_the_service_uses(opened, tmp_path, shape):
    app = opened(shape.format(tmp_path / "a.db"))
    settings = settings_of(app)
    assert settings.sqlite_path == tmp_path / "a.db"
    boot.make_folder(settings)
    assert boot.check_database(settings, db) == "reachable"
    with app.app_context():
        for line in COMMANDS.split("\n")[1:-1]:
            run(app, line)
        app.test_cli_runner().invoke(args=["doctor"])
    names = {path.name for path in tmp_path.iterdir()}
    assert "a.db" in names
    assert not [name for name in names if "?" in name or "timeout" in name]
    assert all(name.startswith("a") or name in ("backups", ".a.db.lock") for name in names), names


@pytest.mark.long
def test_every_command_works_on_the_server_that_postgresql_names(opened, postgres_url, tmp_path, monkeypatch):
    plain = postgres_url.replace("postgresql+psycopg://", "postgresql://")
    app = create_app(Settings(app_env="test", database_url=plain, backup_to=str(tmp_path)))
    assert settings_of(app).database_url.get_secret_value() == postgres_url
    with app.app_context():
        for line in ("db upgrade", "db status", "keys list", "db backup", "db backups", "db verify latest"):
            run(app, line)
    db.close()


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("sqlite:///a.db?mode=ro", "only the option"),
        ("sqlite:///a.db?timeout=30&timeout=5", "only the option"),
        ("sqlite:///a.db?isolation_level=none", "only the option"),
        ("sqlite:///a.db?x", "only the option"),
        ("sqlite:///a.db?timeout=soon", "timeout from 0 to 300"),
        ("sqlite:///a.db?timeout=nan", "timeout from 0 to 300"),
        ("sqlite:///a.db?timeout=-1", "timeout from 0 to 300"),
        ("sqlite:///file:a.db?uri=true", "must name a file"),
        ("sqlite:///?timeout=3", "must name a file"),
        ("sqlite:///:memory:?timeout=3", "must name a file"),
        ("sqlite://a.db", "must start with"),
        ("postgresql+psycopg2://h/d", "must start with"),
        ("postgresql://h:abc/d", "must look like"),
        ("", "must start with"),
    ],
)
def test_what_would_mean_something_else_to_somebody_is_refused(url, sentence):
    assert sentence in problem(normal(url))


def test_the_parts_of_a_url():
    assert file_of("sqlite:////srv/a b#1%20.db?timeout=3") == "/srv/a b#1%20.db"
    assert busy_seconds("sqlite:///a.db?timeout=3") == 3
    assert busy_seconds("sqlite:///a.db") is None
    assert normal("postgres://u:p@h/d?sslmode=require") == "postgresql+psycopg://u:p@h/d?sslmode=require"
    assert problem(normal("postgresql:///d?host=/run/postgresql")) is None
    assert Settings(database_url="sqlite:///data/x.db?timeout=3").sqlite_path == BASE_DIR / "data/x.db"


def test_a_writer_waits_as_long_as_the_url_says(tmp_path, opened):
    opened(f"sqlite:///{tmp_path}/a.db?timeout=0.25")
    asked = {"writer": db.writer, "reader": db.reader}
    found = {name: engine.connect().exec_driver_sql("PRAGMA busy_timeout").scalar() for name, engine in asked.items()}
    assert found == {"writer": 250, "reader": 250}


@pytest.mark.parametrize("command", [["-m", "chassis.boot"], ["-m", "flask", "db", "status"]])
def test_a_driver_that_does_not_load_is_told_in_a_sentence(tmp_path, command):
    (tmp_path / "psycopg.py").write_text("raise ImportError('no pq wrapper available.\\nAttempts made: ...')")
    env = {**CLEAN, "APP_ENV": "test", "DATABASE_URL": "postgresql://127.0.0.1:1/d", "PYTHONPATH": str(tmp_path)}
    done = subprocess.run([sys.executable, *command], cwd=ROOT, env=env, capture_output=True, text=True)
    assert done.returncode == 1
    assert "(no pq wrapper available.): install psycopg[binary]" in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
