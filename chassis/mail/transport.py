"""Hands a message to the server of SMTP_URL; sockets are those of the mode, so nothing else waits meanwhile."""

import contextlib
import smtplib
import socket
import ssl
import sys
import threading
from collections.abc import Iterator
from email.message import EmailMessage
from typing import Any

from chassis.base import smtp_url
from chassis.errors import AppError
from chassis.settings import Settings

PERMANENT = 500  # of this code on, trying again does not help (RFC 5321, section 4.2.1)
MAX_REASON_CHARACTERS = 200
TIMEOUTS = 6  # of SMTP_TIMEOUT_SECONDS that all of a conversation may take


class NotSent(AppError):
    """The server could not be reached, does not know the user, or asks to try again later."""

    code, status = "mail_not_sent", 503


class Refused(NotSent):
    """The server will never take this message, or not from this sender."""

    code = "mail_refused"


def deliver(settings: Settings, message: EmailMessage) -> None:
    """Send a message; raise Refused when it is refused permanently, NotSent when another attempt may succeed."""
    if settings.smtp_url.get_secret_value() == smtp_url.TERMINAL:
        _show(message)
        return
    with _told(), _connection(settings) as server:
        server.send_message(message, from_addr=settings.sender.addr_spec)


def check(settings: Settings) -> str:
    """Return why the server cannot be used, or ""."""
    if settings.smtp_url.get_secret_value() == smtp_url.TERMINAL:
        return ""
    try:
        with _told(), _connection(settings) as server:
            server.noop()
    except NotSent as error:
        return error.message
    return ""


class _Limited(smtplib.SMTP):
    """Ends the whole conversation after a time: each byte of a server that drips would begin a new time-out."""

    def connect(self, *args: Any, **options: Any) -> tuple[int, bytes]:
        self._limit = threading.Timer(TIMEOUTS * self.timeout, self._cut)
        self._limit.daemon = True
        self._limit.start()
        try:
            return super().connect(*args, **options)
        except BaseException:
            self._limit.cancel()
            raise

    def close(self) -> None:
        self._limit.cancel()
        super().close()

    def _cut(self) -> None:
        if (sock := self.sock) is not None:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)


class _LimitedOverTls(_Limited, smtplib.SMTP_SSL):
    """The same, encrypted from the beginning."""


@contextlib.contextmanager
def _connection(settings: Settings) -> Iterator[smtplib.SMTP]:
    """Yield a connection that is encrypted and signed in as the URL says, and end it."""
    to, seconds = smtp_url.parsed(settings.smtp_url.get_secret_value()), settings.smtp_timeout_seconds
    server: smtplib.SMTP
    if to.scheme == "smtps":
        server = _LimitedOverTls(to.host, to.port, timeout=seconds, context=ssl.create_default_context())
    else:
        server = _Limited(to.host, to.port, timeout=seconds)
    try:
        if to.scheme == "smtp+starttls":
            server.starttls(context=ssl.create_default_context())
        if to.user:
            server.login(to.user, to.password)
        yield server
        with contextlib.suppress(smtplib.SMTPException, OSError):  # it has been taken
            server.quit()
    finally:
        server.close()


@contextlib.contextmanager
def _told() -> Iterator[None]:
    """Turn errors of smtplib and sockets into sentences."""
    try:
        yield
    except smtplib.SMTPRecipientsRefused as error:
        raise _of_codes("refuses the recipient", *next(iter(error.recipients.values()))) from None
    except smtplib.SMTPAuthenticationError as error:
        told = _of_codes("refuses the user or password", error.smtp_code, error.smtp_error)
        raise NotSent(told.message) from None  # of all messages, until the operator sets another password
    except smtplib.SMTPResponseException as error:
        raise _of_codes("refuses", error.smtp_code, error.smtp_error) from None
    except smtplib.SMTPNotSupportedError as error:
        raise Refused(f"The mail server lacks what is needed: {error}") from None
    except ssl.SSLCertVerificationError as error:
        raise NotSent(f"The mail server's certificate is not valid: {error.verify_message}.") from None
    except (smtplib.SMTPException, OSError) as error:
        why = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise NotSent(f"The mail server cannot be reached: {why}.") from None


def _of_codes(what: str, code: int, text: bytes | str) -> NotSent:
    said = text.decode(errors="replace") if isinstance(text, bytes) else text
    said = " ".join("".join(letter if letter.isprintable() else " " for letter in said).split())
    sentence = f"The mail server {what}: {code} {said[:MAX_REASON_CHARACTERS]}"
    return Refused(sentence) if code >= PERMANENT else NotSent(sentence)


def _show(message: EmailMessage) -> None:
    text = message.get_body(("plain",))
    shown = text.get_content() if text is not None else ""
    print(f"--- mail to {message['To']}: {message['Subject']}\n{shown}---", file=sys.stderr, flush=True)  # noqa: T201
