"""Defaults of a service: they replace the core's, are checked like any value, and the environment overrides them."""

import json
from types import ModuleType

import pytest
from click.testing import CliRunner
from flask import Flask
from pydantic import Field, SecretStr

from chassis.base import environment
from chassis.cli.settings import documents, show
from chassis.errors import SettingsError
from chassis.limits import Rate
from chassis.settings import Section
from chassis.settings.declared import defaults_of, sections_of
from chassis.settings.loading import load_settings
from chassis.settings.secret_key import ensure_secret_key
from chassis.wiring import wire


class AlbumSettings(Section):
    """Albums"""

    album_max_photos: int = Field(100, ge=1, description="Photos that an album may hold.")


@pytest.fixture(autouse=True)
def environ(monkeypatch, tmp_path):
    """An environment and a folder in which nothing is set."""
    monkeypatch.setattr(environment, "BASE_DIR", tmp_path)
    for name in ("APP_ENV", "PORT", "MAX_BODY_BYTES", "SECRET_KEY", environment.EPHEMERAL_SECRET_KEY):
        monkeypatch.delenv(name, raising=False)
    return monkeypatch


def load(**defaults):
    return load_settings((AlbumSettings,), defaults)


def problems(**defaults):
    with pytest.raises(SettingsError) as raised:
        load(**defaults)
    assert raised.value.exit_status == 78
    return dict(raised.value.problems)


def test_a_service_replaces_a_default_of_the_core_and_of_a_section():
    settings = load(max_body_bytes=32_000_000, album_max_photos=7)
    assert (settings.max_body_bytes, settings.section(AlbumSettings).album_max_photos) == (32_000_000, 7)
    assert (settings.max_json_bytes, settings.port) == (2_000_000, 5000)


@pytest.mark.parametrize("written", [("10.0.0.0/8", "::1/128"), "10.0.0.0/8, ::1/128"])
def test_a_default_is_written_in_python_or_as_in_the_environment(written):
    assert [str(one) for one in load(metrics_allow=written).metrics_allow] == ["10.0.0.0/8", "::1/128"]


def test_the_environment_overrides_a_default_of_the_service(environ, tmp_path):
    (tmp_path / ".env").write_text("PORT=1001\n")
    environ.setenv("MAX_BODY_BYTES", "70000")
    settings = load(max_body_bytes=32_000_000, port=8080)
    assert (settings.max_body_bytes, settings.port) == (70_000, 1001)
    environ.setenv("MAX_BODY_BYTES", "")
    assert load(max_body_bytes=32_000_000).max_body_bytes == 32_000_000


def test_an_empty_list_in_the_environment_overrides_a_default(environ):
    environ.setenv("SECURITY_CONTACT", "")
    assert load(security_contact=("a@example.org",)).security_contact == ()


def test_a_default_of_no_setting_is_named():
    assert set(problems(max_body_bites=1, MAX_BODY_BYTES=70_000)) == {"max_body_bites", "MAX_BODY_BYTES"}


def test_defaults_that_break_their_own_rules_are_named_all_at_once(environ):
    environ.setenv("PORT", "many")
    found = problems(max_body_bytes=1, backup_schedule="never", album_max_photos=0, public_url="here")
    assert set(found) == {"MAX_BODY_BYTES", "BACKUP_SCHEDULE", "ALBUM_MAX_PHOTOS", "PUBLIC_URL", "PORT"}
    assert found["MAX_BODY_BYTES"] == "should be greater than or equal to 1000 (in DEFAULTS)"


def test_a_wrong_default_is_named_although_the_environment_overrides_it(environ):
    environ.setenv("MAX_BODY_BYTES", "70000")
    assert "in DEFAULTS" in problems(max_body_bytes=1)["MAX_BODY_BYTES"]


def test_defaults_follow_the_rules_between_settings():
    assert "SOCKET_TRANSPORTS" in problems(gunicorn_workers=2, async_mode="threading")["GUNICORN_WORKERS"]


@pytest.mark.parametrize("name", ["secret_key", "admin_api_key", "redis_url"])
def test_a_secret_has_no_default_in_the_code(name):
    found = problems(**{name: "planted-secret"})
    assert set(found) == {name.upper()}
    assert "planted" not in str(found)


def test_the_place_of_the_database_has_one():
    assert load(database_url="sqlite:///data/albums.db").database_url == SecretStr("sqlite:///data/albums.db")


def test_a_default_is_not_something_that_is_set(environ):
    settings = load(rate_limit_default="5 per minute", port=8080)
    assert settings.rate_limit_default == (Rate(5, 60),)
    assert settings.request_rates == ()
    environ.setenv("RATE_LIMIT_DEFAULT", "5 per minute")
    assert load().request_rates == (Rate(5, 60),)


def test_a_made_key_keeps_sections_and_defaults():
    settings = ensure_secret_key(load(album_max_photos=7))
    assert settings.secret_key.get_secret_value()
    assert settings.section(AlbumSettings).album_max_photos == 7
    assert settings.unset(AlbumSettings).album_max_photos == 7


def test_the_documents_show_the_defaults_of_the_service():
    text = documents(load(max_body_bytes=32_000_000, metrics_allow="10.0.0.0/8", album_max_photos=7))
    reference, example = text["docs/configuration.md"], text[".env.example"]
    assert "| `MAX_BODY_BYTES` | integer | `32000000` |" in reference
    assert "| `METRICS_ALLOW` | list | `10.0.0.0/8` |" in reference
    assert "## Albums" in reference
    assert {"# MAX_BODY_BYTES=32000000", "# ALBUM_MAX_PHOTOS=7", "# PORT=5000"} <= set(example.splitlines())


def test_the_documents_do_not_show_what_is_set(environ):
    environ.setenv("MAX_BODY_BYTES", "70000")
    assert "70000" not in "".join(documents(load(max_body_bytes=32_000_000)).values())


def test_the_command_shows_a_default_of_the_service_as_a_default():
    app = Flask("small")
    wire(app, load(album_max_photos=7))
    with app.app_context():
        shown = json.loads(CliRunner().invoke(show, ["--json"], catch_exceptions=False).output)
    (one,) = (each for each in shown if each["name"] == "ALBUM_MAX_PHOTOS")
    assert (one["value"], one["source"], one["group"]) == ("7", "default", "Albums")


def test_a_module_declares_sections_and_defaults():
    module = ModuleType("declaring")
    code = """
from pydantic import Field
from chassis.settings import Settings
from chassis.settings import Section
class ServiceSettings(Section):
    '''The service'''
    greeting: str = Field("hello", description="What it says.")
DEFAULTS = {"max_body_bytes": 32_000_000}
"""
    exec(code, vars(module))
    settings = load_settings(sections_of(module), defaults_of(module))
    assert [kind.__name__ for kind in sections_of(module)] == ["ServiceSettings"]
    assert (settings.section(module.ServiceSettings).greeting, settings.max_body_bytes) == ("hello", 32_000_000)
    assert defaults_of(ModuleType("silent")) == {}
