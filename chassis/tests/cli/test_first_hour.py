"""The commands of a first hour: `flask run` refused, `flask shell` with names at hand, `flask seed`."""

import subprocess
import sys

import pytest

from chassis.tests.conftest import CLEAN, ROOT, new_database
from chassis.tests.settings.starting import STRONG

pytestmark = pytest.mark.server  # each starts a process


@pytest.fixture
def flask(tmp_path):
    """Return a function that runs a `flask` command on a database of the test."""

    def run(*words, stdin="", **env):
        env = {**CLEAN, "APP_ENV": "test", "DATABASE_URL": new_database(tmp_path), **env}
        command = [sys.executable, "-m", "flask", *words]
        return subprocess.run(command, cwd=ROOT, env=env, input=stdin, capture_output=True, text=True, check=False)

    return run


def test_flask_run_says_what_to_run(flask):
    done = flask("run")
    assert done.returncode == 1
    assert "use `make dev` or `python run_web.py`" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_shell_has_the_database_jobs_and_tables_at_hand(flask):
    program = (
        "print(db.read(lambda conn: conn.execute(select(tables['jobs'])).all()), jobs.enqueue.__name__, app.name)\n"
    )
    done = flask("shell", stdin=program)
    assert "[] enqueue app" in done.stdout, done.stderr
    assert "At hand: app, " in done.stdout


def test_seeds_are_made_once(flask):
    first, second = flask("seed"), flask("seed")
    assert (first.returncode, second.returncode) == (0, 0), first.stderr + second.stderr
    assert "shown only now" not in second.stdout
    for line in second.stdout.splitlines():
        assert "already" in line or "No part" in line


def test_production_is_not_seeded(flask):
    done = flask("seed", APP_ENV="production", SECRET_KEY=STRONG)
    assert done.returncode == 1
    assert "is for development" in done.stderr
    assert "password" not in done.stdout
