"""SMTP_URL and MAIL_FROM: what is refused, and that the password is shown nowhere."""

import pytest
from pydantic import SecretStr

from chassis import effective
from chassis.base import smtp_url
from chassis.observability.redaction import redact_line, secret_values
from chassis.settings import Settings

WORD = "a-word-of-the-test"


def url(scheme, host, *key):
    """Return a URL; one with a password in it is not written here."""
    return f"{scheme}://{':'.join(key)}{'@' if key else ''}{host}"


@pytest.mark.parametrize(
    ("given", "server"),
    [
        ("smtp://mail.example.org", ("smtp", "mail.example.org", 25, "", "")),
        ("smtps://mail.example.org", ("smtps", "mail.example.org", 465, "", "")),
        (
            url("smtp+starttls", "mail.example.org", "me%40x", "a%2Fb"),
            ("smtp+starttls", "mail.example.org", 587, "me@x", "a/b"),
        ),
        (url("smtp", "127.0.0.1:2525", "me", "word"), ("smtp", "127.0.0.1", 2525, "me", "word")),
    ],
)
def test_a_url_names_a_server(given, server):
    assert smtp_url.problem(given) == ""
    assert smtp_url.parsed(given) == server


@pytest.mark.parametrize(
    "given",
    [
        "mail.example.org",
        "http://mail.example.org",
        "smtp://",
        "smtp://h:99999",
        "smtps://user@h",
        url("smtp", "mail.example.org", "user", "word"),
        "smtps://h/path",
        url("smtps", "h", "user", "1#word"),
        url("smtps", "h", "user", "wörd"),
    ],
)
def test_a_url_that_cannot_work_is_refused(given):
    assert smtp_url.problem(given)


def test_what_is_wrong_is_told_without_the_password():
    assert WORD not in smtp_url.problem(url("smtp", "mail.example.org", "user", WORD))


@pytest.mark.parametrize("sender", ["a@b.example", "Acme Lab <a@b.example>", '"Acme, Lab" <a@b.example>'])
def test_a_sender_is_an_address(sender):
    assert smtp_url.is_sender(sender)


@pytest.mark.parametrize("sender", ["acme", "a@b, c@d", "a@b.example\r\nBcc: c@d.example", "Acme <>", "@"])
def test_what_is_no_sender_is_refused(sender):
    assert not smtp_url.is_sender(sender)


def test_the_sender_is_needed():
    problems = dict(Settings(smtp_url=SecretStr("smtp://127.0.0.1")).problems())
    assert problems["MAIL_FROM"] == "is missing: SMTP_URL is set"


def test_the_console_is_not_for_production():
    found = dict(Settings(app_env="production", smtp_url=SecretStr(smtp_url.TERMINAL)).problems())
    assert "must not be terminal:" in found["SMTP_URL"]
    assert "is missing" in found["PUBLIC_URL"]


def test_the_password_is_shown_nowhere():
    settings = Settings(smtp_url=SecretStr(url("smtps", "mail.example.org", "user", WORD)), mail_from="a@b.example")
    assert WORD not in redact_line(f"tried {WORD} there", secret_values(settings))
    assert WORD not in str(effective.listing(settings))
