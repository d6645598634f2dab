"""Production refuses weak keys and settings that cannot be right."""

import pytest

from chassis.features import load
from chassis.observability.redaction import redact_line, secret_values
from chassis.tests.settings.starting import STRONG, problems


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


def test_several_workers_need_websocket_only_where_gunicorns_own_worker_serves(production):
    production.setenv("GUNICORN_WORKERS", "2")
    assert load().gunicorn_workers == 2
    production.setenv("ASYNC_MODE", "gevent")
    assert load().gunicorn_workers == 2
    production.setenv("ASYNC_MODE", "threading")
    assert "SOCKET_TRANSPORTS" in problems()["GUNICORN_WORKERS"]
    production.setenv("SOCKET_TRANSPORTS", "websocket")
    assert load().gunicorn_workers == 2
