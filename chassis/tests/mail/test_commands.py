"""`flask mail test` and `flask doctor` against real servers: TLS, sign-in, and what is wrong in a sentence."""

import contextlib
import socket
import threading
import time

import pytest

from chassis.cli.weaknesses import mail_server
from chassis.mail import message, transport
from chassis.mail.transport import TIMEOUTS, check
from chassis.settings import Settings
from chassis.tests.patience import let_pass
from chassis.tests.servers import free_port
from chassis.tests.smtp_server import PASSWORD, USER, certificate, running
from chassis.wiring import settings_of

TO = "ada@example.org"
KEY = f"{USER}:{PASSWORD.replace(' ', '%20').replace('/', '%2F')}"


@pytest.fixture
def trusted(tool, tmp_path, monkeypatch):
    """A certificate that this process trusts."""
    path = certificate(tmp_path, tool("openssl"))
    monkeypatch.setenv("SSL_CERT_FILE", str(path))
    return path


def test_a_test_message_is_sent(make, smtp):
    done = make(smtp.port).run("test", TO)
    assert (done.exit_code, done.output) == (0, f"The mail server has taken the message to {TO}.\n")
    assert smtp.recipients == [TO]


@pytest.mark.parametrize(("scheme", "tls"), [("smtps", "tls"), ("smtp+starttls", "starttls")])
def test_over_tls_with_a_user(make, trusted, scheme, tls):
    with running(tls, trusted, sign_in=True) as server:
        one = make(f"{scheme}://{KEY}@localhost:{server.port}")
        assert one.run("test", TO).exit_code == 0, one.run("test", TO).output
        assert list(mail_server(settings_of(one.app))) == []
    assert server.recipients


def test_a_certificate_that_nobody_vouches_for_is_refused(make, tool, tmp_path):
    with running("tls", certificate(tmp_path, tool("openssl"))) as server:
        done = make(f"smtps://localhost:{server.port}").run("test", TO)
    assert done.exit_code == 1
    assert "certificate is not valid" in done.output
    assert server.messages == []


def drip(listener):
    """Send one client a greeting without an end, a byte at a time, for half a minute."""
    client, _ = listener.accept()
    with client, contextlib.suppress(OSError):
        for byte in b"220" + b"-" * 150:
            client.sendall(bytes([byte]))
            let_pass(0.2)


def test_a_server_that_drips_is_left_after_a_time():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=drip, args=(listener,), daemon=True).start()
        settings = Settings(
            app_env="test", smtp_url=f"smtp://127.0.0.1:{listener.getsockname()[1]}", smtp_timeout_seconds=0.5
        )
        began = time.monotonic()
        assert "cannot be reached" in check(settings)
    assert 0.5 * TIMEOUTS - 0.1 < time.monotonic() - began < 20


def test_a_server_without_starttls_gets_no_message(make, smtp):
    done = make(f"smtp+starttls://127.0.0.1:{smtp.port}").run("test", TO)
    assert done.exit_code == 1
    assert smtp.messages == []


def test_the_doctor_says_what_is_wrong_without_the_password(make):
    with running(sign_in=True) as server:
        one = make(f"smtp://{':'.join((USER, 'another'))}@127.0.0.1:{server.port}")
        (found,) = mail_server(settings_of(one.app))
    assert found.problem == "does not work (The mail server refuses the user or password: 535 wrong)"
    (away,) = mail_server(settings_of(make(free_port()).app))
    assert "cannot be reached" in away.problem


def test_a_wrong_password_is_no_refusal_of_the_message(make):
    with running(sign_in=True) as server:
        one = make(f"smtp://{':'.join((USER, 'another'))}@127.0.0.1:{server.port}")
        with one.app.app_context(), pytest.raises(transport.NotSent) as raised:
            transport.deliver(settings_of(one.app), message.compose(TO, "mail/test", {"url": "https://acme.example"}))
    assert not isinstance(raised.value, transport.Refused)  # which would be its job's end


def test_without_a_server_the_command_says_what_to_set(make):
    done = make("").run("test", TO)
    assert (done.exit_code, done.output) == (1, "Error: E-mail is off: set SMTP_URL and MAIL_FROM.\n")
