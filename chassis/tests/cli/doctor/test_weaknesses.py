"""Each weakness is found, and gone when what it says is done."""

import os
import subprocess
import sys

import pytest

from chassis.cli import weaknesses
from chassis.security import identity
from chassis.settings import Settings
from chassis.tests.cli.doctor.good import ADMIN, GOOD, SECRET
from chassis.tests.patience import wait_until
from chassis.wiring import wiring_of

OPEN = ("0.0.0.0/0",)


@pytest.mark.parametrize("check", [c for c in weaknesses.CHECKS if c is not weaknesses.user])
def test_an_installation_as_the_documents_say_has_no_weakness(found, check):
    assert found(check) == []


def test_secrets_in_urls_and_command_lines_are_seen(found, monkeypatch):
    check = weaknesses.secrets_in_sight
    assert found(check, upstream_base_url="https://example.org/v1?api_key=k") == ["UPSTREAM_BASE_URL"]
    monkeypatch.setenv("DATABASE_SNAPSHOT_URL", "set")
    url = "http://user:pass@example.org/a.db"
    assert found(check, database_snapshot_url=url) == ["DATABASE_SNAPSHOT_URL"] * 2
    with subprocess.Popen([sys.executable, "-c", "input()", SECRET], stdin=subprocess.PIPE) as process:
        assert wait_until(lambda: found(check)) == [f"process {process.pid}"]  # its command line may come late


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


def test_networks_that_are_together_everybody_are_told(found):
    assert found(weaknesses.doors, metrics_allow=("0.0.0.0/1", "128.0.0.0/1")) == ["METRICS_ALLOW"]


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
    ("name", "value", "package"),
    [
        ("BACKUP_TO", "s3://bucket/backups", "boto3"),
        ("DATABASE_SNAPSHOT_URL", "s3://bucket/app.db", "boto3"),
        ("DATABASE_URL", "postgresql+psycopg://u:p@h/d", "psycopg[binary]"),
        ("REDIS_URL", "redis://127.0.0.1", "redis"),
        ("SENTRY_DSN", "https://key@example.org/1", "sentry-sdk"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4318", "opentelemetry-exporter-otlp-proto-http"),
    ],
)
def test_the_package_of_a_setting_that_is_missing_is_named_before_the_start(monkeypatch, name, value, package):
    settings = Settings(**{name.lower(): value})
    assert settings.problems() == []
    monkeypatch.setattr("chassis.settings.packages.installed", lambda package: False)
    ((told, sentence),) = settings.problems()
    assert told == name
    assert f"-c requirements-dev.txt '{package}'`" in sentence
