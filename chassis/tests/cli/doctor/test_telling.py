"""What `flask doctor` tells: in words, as JSON, on a laptop and where the worst stops the start."""

import json
import subprocess
import sys
import time

from flask import Flask

from app import create_app
from chassis.cli import weaknesses
from chassis.cli.doctor import doctor
from chassis.db import db
from chassis.settings import Settings
from chassis.tests.cli.doctor.good import GOOD
from chassis.tests.conftest import CLEAN, ROOT
from chassis.tests.patience import LIMIT_SECONDS
from chassis.wiring import wire


def test_the_machine_and_the_database_are_looked_at(found, data, monkeypatch):
    assert found(weaknesses.database) == ["database"]
    assert found(weaknesses.database, database_url=f"sqlite:///{data}") == ["DATABASE_URL"]
    monkeypatch.setattr(weaknesses, "LEAST_FREE_BYTES", 1 << 62)
    assert found(weaknesses.machine) == [str(data)]
    monkeypatch.setattr(weaknesses, "LEAST_FREE_BYTES", 0)
    monkeypatch.setattr(time, "time", lambda: 0.0)
    assert found(weaknesses.machine) == ["clock"]


def test_what_is_to_be_done_is_told_in_words_and_as_json(found, data, monkeypatch):
    def run(*words):
        app = Flask("small")
        wire(app, Settings(**GOOD, database_url=f"sqlite:///{data}/app.db"))
        return app.test_cli_runner().invoke(doctor, words)

    monkeypatch.setattr("chassis.cli.doctor.CHECKS", (weaknesses.database_file,))
    told, as_json = run(), run("--json")
    assert (told.exit_code, as_json.exit_code) == (1, 1)
    file = str(data / "app.db")
    assert told.output == f"{file}: is readable by every user of this machine\n  chmod o= {file} {data}\n"
    assert [(weakness["name"], weakness["fix"]) for weakness in json.loads(as_json.output)] == [
        (file, f"chmod o= {file} {data}")
    ]
    data.chmod(0o750)
    told, as_json = run(), run("--json")
    assert (told.output, told.exit_code) == ("No weaknesses found.\n", 0)
    assert (as_json.output, as_json.exit_code) == ("[]\n", 0)


def test_a_laptop_has_nothing_to_do(tmp_path):
    app = create_app(Settings(app_env="test", database_url=f"sqlite:///{tmp_path}/app.db"))
    done = app.test_cli_runner().invoke(args=["doctor"])
    db.close()
    assert (done.output, done.exit_code) == ("No weaknesses found.\n", 0)


def test_the_worst_does_not_start(tmp_path):
    env = {**CLEAN, "APP_ENV": "production", "DATABASE_URL": f"sqlite:///{tmp_path}/app.db", "CORS_ORIGINS": "*"}
    done = subprocess.run(
        [sys.executable, "-m", "flask", "doctor"], cwd=ROOT, env=env, capture_output=True, timeout=LIMIT_SECONDS
    )
    assert done.returncode == 78, done.stdout


def test_every_name_is_told(found):
    assert found(weaknesses.doors, public_url="") == ["PUBLIC_URL"]
    assert found(weaknesses.doors, public_url="", allowed_hosts=("app.example.org",)) == ["PUBLIC_URL"]
    assert found(weaknesses.doors, allowed_hosts=("*",)) == ["ALLOWED_HOSTS"]
