"""What is sent: text and HTML from templates that a service can replace, and headers that nothing is hidden in."""

import pytest

from chassis.errors import BadRequest
from chassis.mail import message, send_now

TO = "ada@example.org"


def test_a_message_is_sent_as_text_and_html(make, smtp):
    with make(smtp.port).app.app_context():
        send_now(TO, "mail/test")
    (sent,) = smtp.messages
    assert (smtp.recipients, sent["To"], sent["From"]) == ([TO], TO, "Acme <no-reply@example.org>")
    assert sent["Subject"].startswith("A test of ")
    assert sent["Auto-Submitted"] == "auto-generated"
    assert sent["Date"].datetime is not None
    assert [part.get_content_type() for part in sent.iter_parts()] == ["text/plain", "text/html"]
    assert "can send email" in sent.get_body(("plain",)).get_content()


@pytest.mark.parametrize(
    "to",
    [
        "ada@example.org\r\nBcc: eve@example.org",
        "ada@example.org\nSubject: other",
        "ada@example.org, eve@example.org",
        "Ada <ada@example.org>",
        "ada@example.org\x00",
        "ada",
        "@example.org",
        "ada@",
        "",
        f"{'a' * 250}@example.org",
    ],
)
def test_a_recipient_is_exactly_one_address(make, to):
    with make(1).app.app_context(), pytest.raises(BadRequest):
        message.compose(to, "mail/test", {})


def test_a_subject_stays_one_line_and_values_are_escaped_in_html(make, monkeypatch, tmp_path):
    app = make(1).app
    own = tmp_path / "own/mail"
    own.mkdir(parents=True)
    (own / "hello.txt").write_text("Hello {{ name }}\n\nDear {{ name }}")
    (own / "hello.html").write_text("<p>{{ name }}</p>")
    monkeypatch.setattr(app.jinja_env.loader._own, "searchpath", [str(tmp_path / "own")])
    with app.app_context():
        made = message.compose(TO, "mail/hello", {"name": "<b>\r\nBcc: eve@example.org"})
    assert made["Bcc"] is None
    assert made["Subject"] == "Hello <b>"
    assert "&lt;b&gt;" in made.get_body(("html",)).get_content()


def test_a_service_replaces_a_template(make, monkeypatch, tmp_path):
    app = make(1).app
    own = tmp_path / "own/mail"
    own.mkdir(parents=True)
    (own / "test.txt").write_text("Our subject\n\nOur text.")
    monkeypatch.setattr(app.jinja_env.loader._own, "searchpath", [str(tmp_path / "own")])
    with app.app_context():
        made = message.compose(TO, "mail/test", {})
    assert made["Subject"] == "Our subject"
    assert made.get_body(("plain",)).get_content() == "Our text.\n"


def test_the_console_shows_the_text(make, capfd):
    with make("terminal:", mail_from="").app.app_context():
        send_now(TO, "mail/test")
    assert "--- mail to ada@example.org: A test of " in capfd.readouterr().err
