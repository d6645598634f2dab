"""A mail server for the tests: real sockets, TLS and sign-in, and answers that a test chooses."""

import base64
import contextlib
import email
import email.policy
import socketserver
import ssl
import subprocess
import threading
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path

from chassis.tests.patience import LIMIT_SECONDS

USER, PASSWORD = "mailer", "pass word/1"


class SmtpServer(socketserver.ThreadingTCPServer):
    """Takes messages; `refusals` are the answers to the next messages, instead of taking them.

    `tls` is None, "starttls" or "tls"; `sign_in` asks for USER and PASSWORD. A cleared `open` makes a client wait.
    """

    allow_reuse_address = daemon_threads = True

    def __init__(self, tls: str | None = None, certificate: Path | None = None, *, sign_in: bool = False) -> None:
        super().__init__(("127.0.0.1", 0), Session)
        self.tls, self.sign_in = tls, sign_in
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER) if tls else None
        if self.context and certificate:
            self.context.load_cert_chain(certificate)
        self.messages: list[EmailMessage] = []
        self.recipients: list[str] = []
        self.refusals: list[str] = []
        self.asked = 0
        self.open = threading.Event()
        self.open.set()

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of clients that leave."""


class Session(socketserver.StreamRequestHandler):
    """One client."""

    server: SmtpServer
    timeout = LIMIT_SECONDS

    def handle(self) -> None:
        self.secure = self.server.tls == "tls"
        self.signed_in = not self.server.sign_in
        if self.secure:
            self._encrypt()
        self.server.open.wait(LIMIT_SECONDS)
        self._say("220 ready")
        while line := self.rfile.readline().decode().rstrip():
            word, _, rest = line.partition(" ")
            if getattr(self, f"on_{word.lower()}", self._unknown)(rest):
                return

    def on_ehlo(self, _rest: str) -> None:
        offers = ["localhost", *(["STARTTLS"] if self.server.tls == "starttls" and not self.secure else [])]
        offers += ["AUTH PLAIN"] if self.server.sign_in else []
        for offer in offers[:-1]:
            self._say(f"250-{offer}")
        self._say(f"250 {offers[-1]}")

    def on_starttls(self, _rest: str) -> None:
        self._say("220 go on")
        self._encrypt()
        self.secure = True

    def on_auth(self, rest: str) -> None:
        given = base64.b64decode(rest.removeprefix("PLAIN ")).decode().split("\0")
        self.signed_in = given[1:] == [USER, PASSWORD]
        self._say("235 welcome" if self.signed_in else "535 wrong")

    def on_mail(self, _rest: str) -> None:
        self._say("250 ok" if self.signed_in else "530 sign in first")

    def on_rcpt(self, rest: str) -> None:
        self.server.asked += 1
        if self.server.refusals:
            self._say(self.server.refusals.pop(0))
            return
        self.server.recipients.append(rest.partition("<")[2].partition(">")[0])
        self._say("250 ok")

    def on_data(self, _rest: str) -> None:
        self._say("354 go on")
        lines = []
        while (line := self.rfile.readline()) not in (b".\r\n", b""):
            lines.append(line.removeprefix(b".") if line.startswith(b"..") else line)
        parsed = email.message_from_bytes(b"".join(lines), policy=email.policy.default)
        assert isinstance(parsed, EmailMessage)
        self.server.messages.append(parsed)
        self._say("250 taken")

    def on_rset(self, _rest: str) -> None:
        self._say("250 ok")

    def on_noop(self, _rest: str) -> None:
        self._say("250 ok")

    def on_quit(self, _rest: str) -> bool:
        self._say("221 bye")
        return True

    def _unknown(self, _rest: str) -> None:
        self._say("502 unknown")

    def _say(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode())

    def _encrypt(self) -> None:
        assert self.server.context is not None
        self.connection = self.server.context.wrap_socket(self.connection, server_side=True)
        self.setup_files()

    def setup_files(self) -> None:
        self.rfile = self.connection.makefile("rb")
        self.wfile = socketserver._SocketWriter(self.connection)  # type: ignore[attr-defined]


@contextlib.contextmanager
def running(tls: str | None = None, certificate: Path | None = None, *, sign_in: bool = False) -> Iterator[SmtpServer]:
    """Yield a server that runs in this process."""
    with SmtpServer(tls, certificate, sign_in=sign_in) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server
        server.open.set()
        server.shutdown()


def certificate(folder: Path, openssl: str) -> Path:
    """Return a file with a new key and its certificate for 127.0.0.1 and localhost."""
    path, key = folder / "mail.pem", folder / "key.pem"
    command = [openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=localhost"]
    command += ["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", str(key), "-out", str(path)]
    subprocess.run(command, check=True, capture_output=True)
    path.write_text(key.read_text() + path.read_text())
    return path
