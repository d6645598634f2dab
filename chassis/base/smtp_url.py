"""SMTP_URL and MAIL_FROM: their parts, and what is wrong with them.

The library for messages is imported when MAIL_FROM is set or e-mail is sent: it takes 10 ms.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import unquote, urlsplit

if TYPE_CHECKING:
    from email.headerregistry import Address

TERMINAL = "terminal:"
PORTS = {"smtp": 25, "smtp+starttls": 587, "smtps": 465}
LOOPBACK = ("localhost", "127.0.0.1", "::1")
ON_THIS_MACHINE = "localhost"


class Server(NamedTuple):
    """A server that takes e-mail; `scheme` is a key of PORTS."""

    scheme: str
    host: str
    port: int
    user: str
    password: str


def parsed(url: str) -> Server:
    """Return the server of a URL; raise ValueError when it names none."""
    split = urlsplit(url)
    port = split.port
    if split.scheme not in PORTS or not split.hostname:
        raise ValueError("no server")
    user, password = unquote(split.username or ""), unquote(split.password or "")
    return Server(split.scheme, split.hostname, port or PORTS[split.scheme], user, password)


def problem(url: str) -> str:
    """Return what is wrong with a URL as the rest of a sentence, or ""; it never repeats the URL."""
    if url == TERMINAL:
        return ""
    try:
        server = parsed(url)
    except ValueError:
        return "must look like smtps://[user:password@]host:465, smtp+starttls://host:587 or smtp://host:25"
    if bool(server.user) != bool(server.password):
        return "must have both a user and a password, or neither"
    if not f"{server.user}{server.password}".isascii() or not f"{server.user}{server.password}".isprintable():
        return "must have a user and a password in ASCII"
    if urlsplit(url).path.strip("/") or urlsplit(url).query or urlsplit(url).fragment:
        return "must end after the port: a slash, question mark or # in a password is written %2F, %3F or %23"
    if server.user and server.scheme == "smtp" and server.host not in LOOPBACK:
        return "would send its password without TLS: use smtp+starttls:// or smtps://"
    return ""


def is_sender(text: str) -> bool:
    """Return whether a text is one address, with or without a name."""
    from email.errors import MessageError

    try:
        return "@" in sender(text).addr_spec
    except (ValueError, IndexError, MessageError):
        return False


def sender(text: str) -> Address:
    """Return an address with or without a name; of this machine when the text is empty. Raises ValueError."""
    import email.policy
    from email.headerregistry import Address
    from email.message import EmailMessage

    if not text:
        return Address("", "no-reply", ON_THIS_MACHINE)
    if not text.isprintable():
        raise ValueError("a control character")
    message = EmailMessage(policy=email.policy.SMTP)
    message["From"] = text
    header = message["From"]
    if header.defects or len(header.addresses) != 1:
        raise ValueError("not one address")
    found: Address = header.addresses[0]
    return found
