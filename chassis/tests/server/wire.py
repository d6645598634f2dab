"""A client made of bytes: it sends what a test wants, right or wrong, and shows what comes back."""

import json
import socket
import struct
from urllib.parse import urlencode

from chassis.tests.patience import LIMIT_SECONDS, wait_until

TEXT, BINARY, CLOSE, PING, PONG, CONTINUATION = 0x1, 0x2, 0x8, 0x9, 0xA, 0x0
KEY = "dGhlIHNhbXBsZSBub25jZQ=="  # RFC 6455, 1.3
UPGRADE = {
    "Host": "localhost",
    "Upgrade": "websocket",
    "Connection": "Upgrade",
    "Sec-WebSocket-Key": KEY,
    "Sec-WebSocket-Version": "13",
}


def masked(payload: bytes, mask: bytes) -> bytes:
    return bytes(byte ^ mask[i % 4] for i, byte in enumerate(payload))


def frame(opcode, payload=b"", *, final=True, mask=b"\x01\x02\x03\x04", reserved=0, length=None):
    """Return a frame; `mask=None` leaves it unmasked, `length` is what the header claims."""
    payload = payload.encode() if isinstance(payload, str) else payload
    size = len(payload) if length is None else length
    first, bit = (0x80 if final else 0) | reserved << 4 | opcode, 0x80 if mask is not None else 0
    if size < 126:
        head = bytes((first, bit | size))
    elif size < 1 << 16:
        head = struct.pack("!BBH", first, bit | 126, size)
    else:
        head = struct.pack("!BBQ", first, bit | 127, size)
    return head + (payload if mask is None else mask + masked(payload, mask))


def closing(code, reason=b""):
    """Return a close frame."""
    return frame(CLOSE, struct.pack("!H", code) + reason)


class Wire:
    """One connection; what is read and not yet asked for waits in `_read`."""

    def __init__(self, port: int, receive_buffer: int = 0, address: str = "127.0.0.1") -> None:
        self._sock = socket.socket()
        self._sock.bind((address, 0))
        if receive_buffer:
            self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self._sock.settimeout(LIMIT_SECONDS)
        self._sock.connect(("127.0.0.1", port))
        self._sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._read = b""

    def send(self, *data: bytes) -> "Wire":
        self._sock.sendall(b"".join(data))
        return self

    def text(self, *messages: str) -> "Wire":
        return self.send(*(frame(TEXT, message) for message in messages))

    def request(self, method: str, path: str, headers: dict | None = None, body: bytes = b"") -> "Wire":
        lines = [f"{method} {path} HTTP/1.1", *(f"{k}: {v}" for k, v in (headers or {"Host": "localhost"}).items())]
        lines += [f"Content-Length: {len(body)}"] if body else []
        return self.send("\r\n".join([*lines, "", ""]).encode("latin-1") + body)

    def answer(self) -> tuple[int, dict[str, str], bytes]:
        """Return an HTTP answer: status, headers with small letters, body."""
        while b"\r\n\r\n" not in self._read:
            self._more()
        head, _, self._read = self._read.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        chunked = headers.get("transfer-encoding") == "chunked"
        body = self._chunks() if chunked else self._exactly(int(headers.get("content-length", 0)))
        return int(first.split()[1]), headers, body

    def read(self) -> tuple[int, bytes]:
        """Return the next frame: (opcode, payload)."""
        first, second = self._exactly(2)
        assert first & 0x80 and not second & 0x80, "a server's frames are final and unmasked"
        size = second & 0x7F
        if size >= 126:
            size = int.from_bytes(self._exactly(2 if size == 126 else 8), "big")
        return first & 0x7F, self._exactly(size)

    def read_text(self) -> str:
        opcode, payload = self.read()
        assert opcode == TEXT, (opcode, payload)
        return payload.decode()

    def read_close(self) -> int | None:
        """Return the code of the close frame that comes next, behind which the connection has to end."""
        opcode, payload = self.read()
        assert opcode == CLOSE, (opcode, payload)
        assert self.ended()
        return int.from_bytes(payload[:2], "big") if payload else None

    def ended(self) -> bool:
        """Return whether nothing more comes and the server has closed."""
        try:
            return not self._read and not self._sock.recv(1)
        except ConnectionResetError:
            return True

    def silent(self) -> bool:
        """Return whether nothing has come so far, and the connection stays."""
        self._sock.setblocking(False)
        try:
            return not self._read and self._sock.recv(1) is None
        except BlockingIOError:
            return True
        finally:
            self._sock.settimeout(LIMIT_SECONDS)

    def cut(self) -> None:
        """Reset the connection."""
        self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._sock.close()

    def end(self) -> None:
        self._sock.close()

    def end_reading(self) -> None:
        self._sock.shutdown(socket.SHUT_RD)

    def end_writing(self) -> None:
        self._sock.shutdown(socket.SHUT_WR)

    def _chunks(self) -> bytes:
        body = b""
        while True:
            while b"\r\n" not in self._read:
                self._more()
            size, _, self._read = self._read.partition(b"\r\n")
            body += self._exactly(int(size, 16) + 2)[:-2]
            if not int(size, 16):
                return body

    def _exactly(self, size: int) -> bytes:
        while len(self._read) < size:
            self._more()
        data, self._read = self._read[:size], self._read[size:]
        return data

    def _more(self) -> None:
        data = self._sock.recv(65_536)
        if not data:
            raise EOFError("the server has closed the connection")
        self._read += data


def path(transport: str = "websocket", **query: str) -> str:
    return "/socket.io/?" + urlencode({"EIO": "4", "transport": transport, **query})


def open_websocket(port: int, receive_buffer: int = 0, **query: str) -> Wire:
    """Return a connection that became a websocket."""
    wire = Wire(port, receive_buffer).request("GET", path(**query), UPGRADE)
    status, headers, _ = wire.answer()
    assert (status, headers["sec-websocket-accept"]) == (101, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
    return wire


def open_session(port: int, receive_buffer: int = 0) -> tuple[Wire, dict]:
    """Return a websocket and what the server told at its opening."""
    wire = open_websocket(port, receive_buffer)
    opened = wire.read_text()
    assert opened[0] == "0"
    return wire, json.loads(opened[1:])


def join(port: int, receive_buffer: int = 0) -> Wire:
    """Return a websocket in the main namespace; what its connect handler emits is read."""
    wire, _ = open_session(port, receive_buffer)
    assert wire.text("40").read_text().startswith("40")
    for _ in range(2):
        assert wire.read_text().startswith("42")
    return wire


class Polling:
    """A session by long polls."""

    def __init__(self, port: int, joined: bool = False) -> None:
        self.port = port
        status, text = self.ask("GET", path("polling"))
        assert status == 200 and text[0] == "0", (status, text)
        self.opened = json.loads(text[1:])
        self.path = path("polling", sid=self.opened["sid"])
        if joined:
            assert self.post("40") == (200, "ok")
            while "early" not in self.get()[1].rpartition("\x1e")[2]:
                continue

    def ask(self, method: str, path: str, body: bytes = b"") -> tuple[int, str]:
        wire = Wire(self.port).request(method, path, body=body)
        status, _, answered = wire.answer()
        wire.end()
        return status, answered.decode()

    def get(self) -> tuple[int, str]:
        return self.ask("GET", self.path)

    def post(self, text: str) -> tuple[int, str]:
        return self.ask("POST", self.path, text.encode())

    def leave(self) -> None:
        """End the session, so that what other tests send does not wait for it."""
        assert self.post("1") == (200, "ok")

    def waiting(self) -> Wire:
        """Return a connection on which a poll is under way."""
        poll = Wire(self.port).request("GET", self.path)
        self.wait_for("polling")
        return poll

    def wait_for(self, what: str, begun: bool = True) -> None:
        """Wait until the server has begun it, or has ended it; see matrix_routes.py."""
        path = f"/sessions/{self.opened['sid']}"
        wait_until(lambda: json.loads(self.ask("GET", path)[1])[what] == begun, f"{what} is not {begun}")

    def upgrading(self) -> Wire:
        """Return the websocket on which this session may go on."""
        return open_websocket(self.port, sid=self.opened["sid"])
