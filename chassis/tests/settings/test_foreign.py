"""Variables of other programs are refused where they would matter, and missing packages are told with the cure."""

import pytest

from chassis.features import load
from chassis.settings import packages
from chassis.tests.settings.starting import problems


@pytest.mark.parametrize("name", ["ENVIRONMENT", "FLASK_ENV"])
def test_another_name_of_the_environment_is_refused(production, name):
    production.delenv("APP_ENV")
    production.setenv(name, "production")
    assert problems() == {name: f"is not a setting of this service: set APP_ENV instead, and unset {name}"}


def test_a_foreign_variable_beside_the_right_one_is_ignored(production):
    production.setenv("ENVIRONMENT", "staging")
    assert load().app_env == "production"


@pytest.mark.parametrize("value", ["development", "dev", "Development"])
def test_a_foreign_variable_that_asks_for_what_is_in_force_is_ignored(production, value):
    production.delenv("APP_ENV")
    production.setenv("FLASK_ENV", value)
    assert load().app_env == "development"


@pytest.mark.parametrize(
    ("name", "value", "ours"),
    [
        ("DEBUG", "True", "DEBUG_PAGES"),
        ("GUNICORN_BIND", "0.0.0.0:8000", "HOST and PORT"),
        ("GUNICORN_BIND", ":8000", "PORT"),
        ("FLASK_RUN_PORT", "8000", "PORT"),
        ("SQLALCHEMY_DATABASE_URI", "sqlite:///elsewhere.db", "DATABASE_URL"),
    ],
)
def test_each_names_the_setting_to_use(production, name, value, ours):
    production.setenv(name, value)
    assert f"set {ours} instead" in problems()[name]


@pytest.mark.parametrize(("name", "value"), [("DEBUG", "0"), ("DEBUG", "express:*"), ("GUNICORN_BIND", "")])
def test_what_asks_for_nothing_is_ignored(production, name, value):
    production.setenv(name, value)
    load()


def test_one_in_the_file_is_refused_too(production, tmp_path):
    (tmp_path / ".env").write_text("GUNICORN_BIND=127.0.0.1:8000\n")
    assert "set HOST and PORT instead" in problems()["GUNICORN_BIND"]


@pytest.mark.parametrize("name", ["CORS_ORIGINS", "TRUSTED_PROXIES", "SOCKET_TRANSPORTS", "RATE_LIMIT_DEFAULT"])
def test_a_json_list_is_told_as_one(production, name):
    production.setenv(name, '["https://a.example", "https://b.example"]')
    assert problems()[name] == "is a JSON list: write the values without brackets and quotes, as in a,b"


def test_a_missing_package_is_told_with_the_line_that_installs_it(production, monkeypatch):
    monkeypatch.setattr(packages, "installed", lambda package: package != "redis")
    production.setenv("REDIS_URL", "redis://127.0.0.1:6379/0")
    assert problems() == {
        "REDIS_URL": "needs the package redis: run `.venv/bin/pip install -c requirements-dev.txt 'redis'`, or build "
        "the image with `--build-arg PACKAGES='redis'`"
    }
