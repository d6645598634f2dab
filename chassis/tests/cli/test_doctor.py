"""`flask doctor`: each weakness is found, and gone when what it says is done."""

import json
import os
import shutil
import subprocess
import sys
import time

import pytest
from flask import Flask

from app import create_app
from chassis import boot, manifest
from chassis.base import environment
from chassis.cli import file_weaknesses, weaknesses
from chassis.cli.doctor import doctor
from chassis.db import db
from chassis.security import identity, keyring
from chassis.settings import Settings
from chassis.tests.conftest import CLEAN, ROOT
from chassis.tests.patience import LIMIT_SECONDS
from chassis.wiring import wire, wiring_of

SECRET = "Zk3vQ9xW1mB7nR5tY2uP8sD4fG6hJ0aL-cE"
ADMIN = SECRET[::-1]
OPEN = ("0.0.0.0/0",)
GOOD = {
    "app_env": "production",
    "secret_key": SECRET,
    "admin_api_key": ADMIN,
    "admin_allow": ("10.0.0.0/8",),
    "public_url": "https://app.example.org",
    "security_contact": ("security@example.org",),
}


@pytest.fixture
def found(tmp_path, monkeypatch):
    """Return a function that gives the names of what a check finds, under good settings but for those given."""
    for module in (weaknesses, file_weaknesses):
        monkeypatch.setattr(module, "BASE_DIR", tmp_path)

    def look(check, prepare=lambda app: None, **changed) -> list[str]:
        settings = Settings(**{**GOOD, "database_url": f"sqlite:///{tmp_path}/data/app.db", **changed})
        db.open(settings)
        app = Flask("small")
        wire(app, settings)
        keyring.install(app, settings)
        with app.app_context():
            prepare(app)
            look.last = list(check(settings))
            return [weakness.name for weakness in look.last]

    yield look
    db.close()


@pytest.fixture
def data(tmp_path):
    (tmp_path / "data").mkdir(mode=0o755)
    (tmp_path / "data/app.db").touch(mode=0o644)
    return tmp_path / "data"


@pytest.mark.parametrize("check", [c for c in weaknesses.CHECKS if c is not weaknesses.user])
def test_an_installation_as_the_documents_say_has_no_weakness(found, check):
    assert found(check) == []


@pytest.mark.parametrize(
    ("mode", "weak"), [(0o644, True), (0o604, True), (0o620, True), (0o640, False), (0o600, False)]
)
def test_files_with_secrets_are_not_for_everybody(found, tmp_path, monkeypatch, mode, weak):
    files = [tmp_path / name for name in (".env", ".env.local", "key")]
    for file in files:
        file.touch()
        file.chmod(mode)
    monkeypatch.setenv("SECRET_KEY_FILE", str(files[2]))
    assert found(weaknesses.secret_files) == ([str(file) for file in files] if weak else [])


def test_the_database_is_not_for_everybody(found, data):
    assert found(weaknesses.database_file) == [str(data / "app.db")]
    data.chmod(0o777)
    assert found(weaknesses.database_file) == [str(data), str(data / "app.db")]
    data.chmod(0o750)
    assert found(weaknesses.database_file) == []


def test_the_folder_that_a_start_makes_is_closed_to_others(found, tmp_path):
    boot.make_folder(Settings(database_url=f"sqlite:///{tmp_path}/data/app.db"))
    assert (tmp_path / "data").stat().st_mode & 0o007 == 0
    (tmp_path / "data/app.db").touch(mode=0o644)
    assert found(weaknesses.database_file) == []


def test_secrets_in_urls_and_command_lines_are_seen(found, monkeypatch):
    check = weaknesses.secrets_in_sight
    assert found(check, upstream_base_url="https://example.org/v1?api_key=k") == ["UPSTREAM_BASE_URL"]
    monkeypatch.setenv("DATABASE_SNAPSHOT_URL", "set")
    url = "http://user:pass@example.org/a.db"
    assert found(check, database_snapshot_url=url) == ["DATABASE_SNAPSHOT_URL"] * 2
    with subprocess.Popen([sys.executable, "-c", "input()", SECRET], stdin=subprocess.PIPE) as process:
        assert found(check) == [f"process {process.pid}"]


def test_open_doors_are_seen(found, monkeypatch):
    check = weaknesses.doors
    assert found(check, require_client_api_key=False) == ["REQUIRE_CLIENT_API_KEY"]
    assert found(check, metrics_allow=OPEN, admin_allow=OPEN) == ["METRICS_ALLOW", "ADMIN_ALLOW"]
    assert found(check, host="0.0.0.0") == ["HOST"]
    assert found(check, host="0.0.0.0", trusted_proxies=("10.0.0.0/8",)) == []
    assert found(check, security_contact=()) == ["SECURITY_CONTACT"]
    assert found(check, app_env="development", metrics_allow=OPEN, security_contact=()) == []
    assert found(weaknesses.debugging, cors_origins=("*",)) == ["CORS_ORIGINS"]
    assert found(weaknesses.somebody_can_enter, admin_api_key="") == ["ADMIN_API_KEY"]
    assert found(weaknesses.somebody_can_enter, admin_api_key="", client_api_keys=ADMIN) == []
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert found(weaknesses.user) == ["user"]
    assert found(weaknesses.user, app_env="development") == []


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({}, []),
        (
            {"jobs_embedded": False},
            ["holds for each `flask jobs work` by itself without REDIS_URL: two start up to 40"],
        ),
        ({"database_url": "postgresql://db/app"}, ["holds for each machine by itself without REDIS_URL: two start up"]),
        ({"database_url": "postgresql://db/app", "redis_url": "redis://cache"}, []),
        ({"database_url": "postgresql://db/app", "openrouter_api_key": ""}, []),
    ],
)
def test_a_pace_that_several_machines_exceed_is_told_with_the_amount(changed, says):
    settings = Settings(**{**GOOD, "database_url": "sqlite:///app.db", "openrouter_api_key": SECRET, **changed})
    found = list(weaknesses.upstream_pace(settings))
    assert [weakness.name for weakness in found] == ["UPSTREAM_REQUESTS_PER_SECOND"] * len(says)
    assert all(one.problem.startswith(said) for one, said in zip(found, says, strict=True))


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


def test_networks_that_are_together_everybody_are_told(found):
    assert found(weaknesses.doors, metrics_allow=("0.0.0.0/1", "128.0.0.0/1")) == ["METRICS_ALLOW"]


@pytest.mark.parametrize("name", ["SECRET_KEY_FILE", "DATABASE_URL_FILE", "REDIS_URL_FILE", "CLIENT_API_KEYS_FILE"])
def test_files_of_secrets_that_an_env_file_names_are_looked_at(found, tmp_path, monkeypatch, name):
    monkeypatch.setattr(environment, "BASE_DIR", tmp_path)
    monkeypatch.delenv("APP_ENV", raising=False)
    (tmp_path / "value").touch(0o644)
    (tmp_path / ".env").write_text(f"{name}={tmp_path}/value\nPORT_FILE={tmp_path}/value\n")
    (tmp_path / ".env").chmod(0o600)
    assert found(weaknesses.secret_files) == [str(tmp_path / "value")]


def test_what_the_service_writes_is_not_for_everybody(found, data, tmp_path):
    check, others = weaknesses.written_files, data / "backups"
    others.mkdir(mode=0o755)
    names = ["app.log", "app-20261121T020000Z.db", "backups/app-20261121T020000Z.db.zst"]
    for name in names:
        (data / name).touch()
        (data / name).chmod(0o644)
    assert found(check, log_file=str(data / "app.log")) == [str(data / name) for name in names]
    others.chmod(0o700)
    (data / "app.log").chmod(0o600)
    assert found(check, log_file=str(data / "app.log")) == [str(data / names[1])]
    assert found(check, backup_to="s3://bucket/x") == [str(data / names[1])]


def test_neither_a_key_nor_anybody_else_is_told_with_both_ways_in(found):
    class Nobody:
        there = False

    def kinds(app):
        person = identity.Kind(None, None, anybody=lambda: Nobody.there, first="flask users first")
        wiring_of(app).identities["person"] = person

    check = weaknesses.somebody_can_enter
    assert found(check, prepare=kinds, admin_api_key="") == ["ADMIN_API_KEY"]
    assert "no account" in found.last[0].problem
    assert found.last[0].fix == "flask keys create operator --scope admin  or  flask users first"
    Nobody.there = True
    assert found(check, prepare=kinds, admin_api_key="") == []


@pytest.mark.parametrize(
    ("name", "value", "extra"),
    [
        ("BACKUP_TO", "s3://bucket/backups", "s3"),
        ("DATABASE_SNAPSHOT_URL", "s3://bucket/app.db", "s3"),
        ("DATABASE_URL", "postgresql+psycopg://u:p@h/d", "postgres"),
        ("REDIS_URL", "redis://127.0.0.1", "redis"),
        ("SENTRY_DSN", "https://key@example.org/1", "sentry"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4318", "otel"),
    ],
)
def test_the_extra_of_a_setting_that_is_missing_is_named_before_the_start(monkeypatch, name, value, extra):
    settings = Settings(**{name.lower(): value})
    assert settings.problems() == []
    monkeypatch.setattr("chassis.settings.packages.installed", lambda package: False)
    assert [(told, f"the extra {extra} of" in sentence) for told, sentence in settings.problems()] == [(name, True)]


def test_an_edited_file_of_the_chassis_is_named(tmp_path):
    copy = tmp_path / "project"
    for name in ("app", "chassis"):
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("tests", "__pycache__"))
    shutil.copy(ROOT / "wsgi.py", copy)
    (copy / "chassis/base/times.py").write_text("# mine\n" + (ROOT / "chassis/base/times.py").read_text())
    (copy / "chassis/times.py").write_text("# a file of my own\n")
    (copy / "chassis/base/cron.py").unlink()
    code = "from chassis.manifest import edits; print(*edits(), sep='\\n')"
    done = subprocess.run([sys.executable, "-c", code], cwd=copy, env=CLEAN, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["base/cron.py (removed)", "base/times.py (changed)", "times.py (added)"]
    (copy / "chassis/base/cron.py").write_text((ROOT / "chassis/base/cron.py").read_text())
    env = {**CLEAN, "APP_ENV": "test", "DATABASE_URL": f"sqlite:///{tmp_path}/app.db"}
    told = subprocess.run(
        [sys.executable, "-m", "flask", "doctor"], cwd=copy, env=env, capture_output=True, text=True, check=False
    )
    assert told.returncode == 1
    assert "chassis/base/times.py (changed): differs from its manifest" in told.stdout
    assert "chassis/times.py (added): differs from its manifest" in told.stdout


def test_the_chassis_is_as_its_manifest_says():
    assert manifest.edits() == [], "after a change of the chassis itself: make manifest"
