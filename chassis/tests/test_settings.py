"""Settings: every mistake at once, by name, without a secret's value."""

import subprocess
import sys

import pytest
from click.testing import CliRunner
from flask import Flask
from pydantic import ValidationError

from chassis.base import environment
from chassis.cli.settings import show
from chassis.errors import SettingsError
from chassis.features import load
from chassis.observability.redaction import redact_line, secret_values
from chassis.settings import Settings
from chassis.tests.conftest import CLEAN, ROOT
from chassis.tests.patience import LIMIT_SECONDS
from chassis.wiring import wire

STRONG = "Zk3vQ9xW1mB7nR5tY2uP8sD4fG6hJ0aL-cE"


def start(**env):
    command = [sys.executable, "run_web.py"]
    options = {"cwd": ROOT, "env": {**CLEAN, **env}, "capture_output": True, "text": True}
    return subprocess.run(command, **options, timeout=LIMIT_SECONDS)


@pytest.fixture
def production(monkeypatch, tmp_path):
    monkeypatch.setattr(environment, "BASE_DIR", tmp_path)
    for name in ("SECRET_KEY", environment.EPHEMERAL_SECRET_KEY, "APP_ENV", "PORT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("APP_ENV", "production")
    monkeypatch.setenv("SECRET_KEY", STRONG)
    return monkeypatch


def problems():
    with pytest.raises(SettingsError) as raised:
        load()
    return dict(raised.value.problems)


def test_a_start_with_wrong_settings_names_them_all_and_exits_with_78():
    secret = "short-secret"
    ended = start(APP_ENV="production", SECRET_KEY=secret, PORT="many", CORS_ORIGINS="*", JOB_LEASE_SECONDS="0")
    assert ended.returncode == 78
    for name in ("SECRET_KEY", "PORT", "CORS_ORIGINS", "JOB_LEASE_SECONDS"):
        assert f"  {name} " in ended.stderr
    assert secret not in ended.stdout + ended.stderr
    assert "Traceback" not in ended.stdout + ended.stderr


@pytest.mark.parametrize("level", ["info", "INFO\nERROR", "INFO ERROR", "[ERROR]", "CRITICAL", "10", "INFO\x1b[2K"])
def test_a_level_that_is_none_is_one_mistake_in_one_line_that_names_the_four(production, level):
    production.setenv("LOG_LEVEL", level)
    assert problems() == {"LOG_LEVEL": "should be 'DEBUG', 'INFO', 'WARNING' or 'ERROR'"}


@pytest.mark.parametrize("level", [" WARNING ", "WARNING\n", "\tWARNING\r\n"])
def test_a_level_with_blanks_around_it_is_that_level(production, tmp_path, level):
    (tmp_path / "level").write_text(level)
    production.setenv("LOG_LEVEL_FILE", str(tmp_path / "level"))
    assert load().log_level == "WARNING"


@pytest.mark.parametrize("key", ["", "short", "a" * 40, "changeme-changeme-changeme-changeme-12"])
def test_production_refuses_a_weak_secret_key(production, key):
    production.setenv("SECRET_KEY", key)
    assert "SECRET_KEY" in problems()


def test_production_takes_a_strong_key(production):
    assert load().secret_key.get_secret_value() == STRONG


@pytest.mark.parametrize("keys", ["short", f"{STRONG},{'a' * 40}", "changeme-changeme-changeme-changeme-12"])
def test_production_refuses_weak_earlier_keys(production, keys):
    production.setenv("SECRET_KEY_FALLBACKS", keys)
    assert set(problems()) == {"SECRET_KEY_FALLBACKS"}


def test_earlier_keys_sign_no_more_but_count_and_are_hidden(production):
    production.setenv("SECRET_KEY_FALLBACKS", f" {STRONG[::-1]} , {STRONG.swapcase()}")
    settings = load()
    assert [key.get_secret_value() for key in settings.earlier_secret_keys] == [STRONG[::-1], STRONG.swapcase()]
    line = redact_line(f"a {STRONG[::-1]} and {STRONG.swapcase()} and {STRONG}", secret_values(settings))
    assert line == "a *** and *** and ***"


@pytest.mark.parametrize("value", ["security@example.org", "https://example.org/report, mailto:a@b.example", ""])
def test_a_security_contact_is_an_address_or_a_page(production, value):
    production.setenv("SECURITY_CONTACT", value)
    load()


@pytest.mark.parametrize("value", ["somebody", "http://example.org", "a@b", "https://x\ny", "javascript:a@b.example"])
def test_another_security_contact_is_refused(production, value):
    production.setenv("SECURITY_CONTACT", value)
    assert "SECURITY_CONTACT" in problems()


def test_a_plain_http_snapshot_needs_a_checksum_in_production(production):
    production.setenv("DATABASE_SNAPSHOT_URL", "http://user:pw123456@example.org/a.db")
    assert "DATABASE_SNAPSHOT_SHA256" in problems()


def test_several_workers_need_websocket_only(production):
    production.setenv("GUNICORN_WORKERS", "2")
    assert "SOCKET_TRANSPORTS" in problems()["GUNICORN_WORKERS"]
    production.setenv("SOCKET_TRANSPORTS", "websocket")
    assert load().gunicorn_workers == 2


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


@pytest.mark.parametrize("value", ["sqlite:///", "sqlite:///:memory:", "postgresql+psycopg://h:abc/d", "mysql://h/d"])
def test_a_database_url_that_cannot_work_is_refused(production, value):
    production.setenv("DATABASE_URL", value)
    assert "must" in problems()["DATABASE_URL"]


@pytest.mark.parametrize("value", ["https://host/x", "s3://", "s3:///x", "s3://key@bucket/x"])
def test_a_place_for_backups_that_cannot_work_is_refused(production, value):
    production.setenv("BACKUP_TO", value)
    assert set(problems()) == {"BACKUP_TO"}


def test_a_wrong_network_is_named_once(production):
    production.setenv("METRICS_ALLOW", "10.0.0.0/8, elsewhere, 10.0.0.1/8")
    with pytest.raises(SettingsError) as raised:
        load()
    sentences = [sentence for name, sentence in raised.value.problems if name == "METRICS_ALLOW"]
    assert [sentence.split("'")[1] for sentence in sentences] == ["elsewhere", "10.0.0.1/8"]


def test_the_flask_command_reads_the_files_as_the_server_does(tmp_path):
    (tmp_path / ".env").write_text("PORT=1001\nJOBS_CONCURRENCY=7\nREDIS_URL=redis://one\n")
    (tmp_path / ".env.local").write_text("JOBS_CONCURRENCY=8\n")
    (tmp_path / "redis").write_text("redis://two")
    env = {**CLEAN, "APP_ENV": "development", "PORT": "1003", "REDIS_URL_FILE": str(tmp_path / "redis")}
    for name in ("app", "chassis", "wsgi.py"):
        (tmp_path / name).symlink_to(ROOT / name)
    code = f"""
import pathlib
from chassis.base import environment
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


@pytest.mark.parametrize(
    "value",
    [
        "0.0.0.0/0",
        "::/0",
        "0.0.0.0/1,128.0.0.0/1",
        "128.0.0.0/1",
        "0.0.0.0/2,64.0.0.0/2,128.0.0.0/2",
        "10.0.0.0/8," + ",".join(f"{first}.0.0.0/8" for first in range(224)),
        "2000::/3",
        "2000::/4,3000::/4",
        "unix,2000::/2",
        "2000::/5,2800::/5",
    ],
)
def test_proxies_that_are_together_everybody_are_refused(production, value):
    production.setenv("TRUSTED_PROXIES", value)
    assert set(problems()) == {"TRUSTED_PROXIES"}


@pytest.mark.parametrize(
    "value", ["unix,10.0.0.0/8,172.16.0.0/12,192.168.0.0/16,fd00::/8,fe80::/10", "2400::/6,64.0.0.0/3"]
)
def test_proxies_of_some_networks_are_taken(production, value):
    production.setenv("TRUSTED_PROXIES", value)
    load()


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("PUBLIC_URL", ("app.example.org", "https://a/b", "https://u@a", "javascript:a", "https://a\nb")),
        ("ALLOWED_HOSTS", ("https://a", "a:1", "a b", "a,*.b")),
    ],
)
def test_a_host_that_is_none_is_refused(production, name, values):
    for value in values:
        production.setenv(name, value)
        assert set(problems()) == {name}, value


def test_hosts_are_taken(production):
    production.setenv("PUBLIC_URL", "https://app.example.org:8443/")
    production.setenv("ALLOWED_HOSTS", "example.org, .example.org, 10.0.0.1, [::1]")
    load()


@pytest.mark.parametrize(
    ("given", "origin"),
    [
        ("https://app.example.org/", "https://app.example.org"),
        ("HTTPS://App.Example.org:443", "https://app.example.org"),
        ("http://localhost:80", "http://localhost"),
        ("http://localhost:3000", "http://localhost:3000"),
        ("https://a:80", "https://a:80"),
        ("http://[::1]:8080/", "http://[::1]:8080"),
        ("capacitor://localhost", "capacitor://localhost"),
        ("*", "*"),
    ],
)
def test_an_origin_is_compared_as_browsers_write_it(given, origin):
    assert Settings(cors_origins=given).cors_origins == (origin,)


@pytest.mark.parametrize(
    "given",
    [
        "app.example.org",
        "https://*.example.org",
        "https://a/path",
        "https://a?b",
        "https://u@a",
        "null",
        "https://",
        "https://a:port",
        "//a",
    ],
)
def test_what_no_browser_sends_as_an_origin_is_a_mistake(given):
    with pytest.raises(ValidationError, match="not an origin"):
        Settings(cors_origins=given)
