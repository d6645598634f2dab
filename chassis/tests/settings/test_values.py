"""Levels, URLs, networks, hosts and origins: what is taken, and what is refused."""

import sqlite3

import pytest
from pydantic import ValidationError

from chassis.errors import SettingsError
from chassis.features import load
from chassis.settings import Settings
from chassis.tests.settings.starting import problems


@pytest.mark.parametrize("level", ["info", "INFO\nERROR", "INFO ERROR", "[ERROR]", "CRITICAL", "10", "INFO\x1b[2K"])
def test_a_level_that_is_none_is_one_mistake_in_one_line_that_names_the_four(production, level):
    production.setenv("LOG_LEVEL", level)
    assert problems() == {"LOG_LEVEL": "should be 'DEBUG', 'INFO', 'WARNING' or 'ERROR'"}


@pytest.mark.parametrize("level", [" WARNING ", "WARNING\n", "\tWARNING\r\n"])
def test_a_level_with_blanks_around_it_is_that_level(production, tmp_path, level):
    (tmp_path / "level").write_text(level)
    production.setenv("LOG_LEVEL_FILE", str(tmp_path / "level"))
    assert load().log_level == "WARNING"


@pytest.mark.parametrize("value", ["sqlite:///", "sqlite:///:memory:", "postgresql+psycopg://h:abc/d", "mysql://h/d"])
def test_a_database_url_that_cannot_work_is_refused(production, value):
    production.setenv("DATABASE_URL", value)
    assert "must" in problems()["DATABASE_URL"]


def test_a_library_of_sqlite_that_is_too_old_is_named(production, monkeypatch):
    monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 34, 1))
    monkeypatch.setattr(sqlite3, "sqlite_version", "3.34.1")
    assert problems()["DATABASE_URL"] == "needs SQLite 3.35 or later, and this Python has 3.34.1"


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
