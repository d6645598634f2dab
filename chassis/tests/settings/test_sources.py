"""Values come from files, layers and defaults, and every mistake is told at once."""

import os
import subprocess
import sys

from click.testing import CliRunner
from flask import Flask

from chassis.base import cores
from chassis.cli.settings import show
from chassis.features import load
from chassis.tests.conftest import CLEAN, ROOT
from chassis.tests.patience import LIMIT_SECONDS
from chassis.tests.settings.starting import STRONG, problems
from chassis.wiring import wire


def start(**env):
    command = [sys.executable, "run_web.py"]
    options = {"cwd": ROOT, "env": {**CLEAN, **env}, "capture_output": True, "text": True}
    return subprocess.run(command, **options, timeout=LIMIT_SECONDS)


def test_a_start_with_wrong_settings_names_them_all_and_exits_with_78():
    secret = "short-secret"
    ended = start(APP_ENV="production", SECRET_KEY=secret, PORT="many", CORS_ORIGINS="*", JOB_LEASE_SECONDS="0")
    assert ended.returncode == 78
    for name in ("SECRET_KEY", "PORT", "CORS_ORIGINS", "JOB_LEASE_SECONDS"):
        assert f"  {name} " in ended.stderr
    assert secret not in ended.stdout + ended.stderr
    assert "Traceback" not in ended.stdout + ended.stderr


def test_the_number_of_workers_may_be_the_number_of_cores(production, monkeypatch, tmp_path):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _pid: set(range(8)))
    monkeypatch.setattr(cores, "QUOTA", tmp_path / "cpu.max")
    production.setenv("GUNICORN_WORKERS", "auto")
    for quota, workers in [("", 8), ("max 100000", 8), ("250000 100000", 3), ("50000 100000", 1), ("9 0", 8)]:
        cores.QUOTA.write_text(quota)
        assert load().gunicorn_workers == workers, quota
    production.setenv("GUNICORN_WORKERS", "all")
    assert "GUNICORN_WORKERS" in problems()


def test_a_value_may_come_from_a_file(production, tmp_path):
    (tmp_path / "key").write_text(STRONG[::-1] + "\n")
    production.delenv("SECRET_KEY")
    production.setenv("SECRET_KEY_FILE", str(tmp_path / "key"))
    assert load().secret_key.get_secret_value() == STRONG[::-1]
    production.setenv("SECRET_KEY", STRONG)
    assert "twice" in problems()["SECRET_KEY"]
    production.delenv("SECRET_KEY")
    production.setenv("SECRET_KEY_FILE", str(tmp_path / "none"))
    assert "SECRET_KEY_FILE" in problems()


def test_later_layers_win(production, tmp_path):
    (tmp_path / ".env").write_text("PORT=1001\nHOST=10.0.0.1\nLOG_LEVEL=DEBUG\n")
    (tmp_path / ".env.local").write_text("PORT=1002\nHOST=10.0.0.2\n")
    production.setenv("PORT", "1003")
    settings = load()
    assert (settings.port, settings.host, settings.log_level) == (1003, "10.0.0.2", "DEBUG")
    production.setenv("APP_ENV", "test")
    assert load().host == "127.0.0.1"


def test_the_flask_command_reads_the_files_as_the_server_does(tmp_path):
    (tmp_path / ".env").write_text("PORT=1001\nJOBS_CONCURRENCY=7\nREDIS_URL=redis://one\n")
    (tmp_path / ".env.local").write_text("JOBS_CONCURRENCY=8\n")
    (tmp_path / "redis").write_text("redis://two")
    env = {**CLEAN, "APP_ENV": "development", "PORT": "1003", "REDIS_URL_FILE": str(tmp_path / "redis")}
    for name in ("app", "chassis", "wsgi.py"):
        (tmp_path / name).symlink_to(ROOT / name)
    code = f"""
import pathlib
from chassis.base import cores, environment
from flask.cli import main
environment.BASE_DIR = pathlib.Path({str(tmp_path)!r})
main()
"""
    command = [sys.executable, "-c", code, "settings", "show"]
    found = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True)
    lines = set(found.stdout.splitlines())
    assert {"PORT=1003  # environment", "JOBS_CONCURRENCY=8  # .env.local", "LOG_LEVEL=INFO  # default"} <= lines, found
    assert "REDIS_URL=***  # REDIS_URL_FILE in environment" in lines


def test_an_empty_value_is_the_default_and_an_empty_list_is_none(production):
    production.setenv("PORT", "")
    production.setenv("METRICS_ALLOW", "")
    assert load().port == 5000
    assert load().metrics_allow == ()
    production.setenv("METRICS_ALLOW", "10.0.0.0/8, 192.168.0.0/16")
    assert len(load().metrics_allow) == 2


def test_a_development_start_makes_one_key_for_all_workers_and_says_so_once(serve):
    server = serve(LOG_FORMAT="console")
    assert server.log.count("SECRET_KEY is not set") == 1


def test_the_documents_are_what_the_settings_say():
    from chassis.cli.settings import documents

    for name, text in documents(load()).items():
        assert (ROOT / name).read_text() == text, f"{name} is stale: run `make docs`"


def test_shown_settings_hide_their_secrets(production):
    production.setenv("DATABASE_URL", "postgresql+psycopg://u:pw-123456@h/db")
    app = Flask("small")
    wire(app, load())
    with app.app_context():
        shown = CliRunner().invoke(show, catch_exceptions=False).output
    assert "SECRET_KEY=***" in shown
    assert STRONG not in shown
    assert "pw-123456" not in shown
