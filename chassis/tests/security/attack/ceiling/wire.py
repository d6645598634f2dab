"""What a request costs a real worker, from its first byte to the end of the connection."""

import contextlib
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

from chassis.tests.patience import LIMIT_SECONDS
from chassis.tests.security.attack.ceiling.pace import slowness

HEAD = b"POST %b HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
FORM = b"Content-Type: application/x-www-form-urlencoded\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n\r\n"
UPGRADE = (
    b"GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\n"
    b"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
)
EMPTY_FRAGMENT, FIRST_FRAGMENT, PONG_FRAME = b"\x00\x80aaaa", b"\x01\x80aaaa", b"\x8a\x80aaaa"
PIECES = 4_000


class Worker:
    """A worker process, and what it has spent."""

    def __init__(self, pid: int, port: int) -> None:
        self.pid, self.port = pid, port

    def cpu_ms(self) -> float:
        """Return the processor time of all its threads so far."""
        spent = 0
        for path in Path(f"/proc/{self.pid}/task").glob("*/schedstat"):
            with contextlib.suppress(OSError):
                spent += int(path.read_text().split()[0])
        return spent / 1e6

    def memory_mb(self, name: str = "VmRSS") -> float:
        """Return its memory now, or the most since `forget_peak` (VmHWM)."""
        lines = Path(f"/proc/{self.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) / 1e3 for line in lines if line.startswith(name))

    def forget_peak(self) -> None:
        """Count the most memory from now on."""
        Path(f"/proc/{self.pid}/clear_refs").write_text("5")

    def cost(self, pieces: Callable[[], Iterator[bytes]]) -> tuple[float, float, int]:
        """Send a request; return milliseconds at this machine's best pace, MB, and the status of the answer."""
        self.forget_peak()
        memory, began = self.memory_mb(), self.cpu_ms()
        status = exchange(self.port, pieces())
        return (self.cpu_ms() - began) / slowness(), self.memory_mb("VmHWM") - memory, status


def exchange(port: int, pieces: Iterator[bytes]) -> int:
    """Send pieces, one a packet, until the other side has had enough; return the answer's status, 0 without one."""
    received = b""
    with socket.create_connection(("127.0.0.1", port), timeout=LIMIT_SECONDS) as one:
        one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with contextlib.suppress(OSError):
            for piece in pieces:
                one.sendall(piece)
        with contextlib.suppress(OSError):
            one.shutdown(socket.SHUT_WR)
        with contextlib.suppress(OSError):
            while data := one.recv(65_536):
                received += data
    return int(received[9:12]) if received.startswith(b"HTTP/1.1 ") else 0


def heads() -> dict[str, Callable[[], Iterator[bytes]]]:
    """Return heads that are long, or come in little pieces."""
    get = b"GET /livez HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
    long = [b"X-%d: %b\r\n" % (number, b"a" * 8_000) for number in range(97)]
    return {
        "a head of 97 long headers": lambda: iter([get, *long, b"\r\n"]),
        "a head of many short headers": lambda: iter([get + b"a:b\r\n" * 160_000 + b"\r\n"]),
        "a head of 32 kB in little pieces": lambda: _little(get + b"".join(long[:4]) + b"\r\n"),
        "a head of 800 kB in pieces": lambda: _little(get + b"".join(long) + b"\r\n"),
        "a head without an end": lambda: iter([get, *[b"X: " + b"a" * 8_000] * 1_000]),
        "a request line without an end": lambda: iter([b"GET /" + b"a" * 1_000_000]),
        "a thousand cookies": lambda: iter([get + b"Cookie: " + b"a=1; " * 1_600 + b"\r\n\r\n"]),
    }


def bodies(path: bytes) -> dict[str, Callable[[], Iterator[bytes]]]:
    """Return bodies that are framed in the worst way."""
    head = HEAD % path + FORM
    chunk, extended = b"1\r\na\r\n", b"1;" + b"a" * 4_000 + b"\r\na\r\n"
    return {
        "chunks of a byte": lambda: iter([head + CHUNKED + chunk * 65_000 + b"0\r\n\r\n"]),
        "chunks with long extensions": lambda: iter([head + CHUNKED, *[extended] * 2_000, b"0\r\n\r\n"]),
        "chunks with quoted extensions": lambda: iter(
            [head + CHUNKED, *[b'1;a="' + b'\\"' * 2_000 + b'"\r\na\r\n'] * 2_000, b"0\r\n\r\n"]
        ),
        "a long trailer": lambda: iter([head + CHUNKED + b"0\r\n" + b"a:b\r\n" * 160_000 + b"\r\n"]),
        "a body in little pieces": lambda: _little(head + b"Content-Length: 60000\r\n\r\n" + b"a" * 60_000),
    }


def sockets() -> dict[str, Callable[[], Iterator[bytes]]]:
    """Return what a websocket can be sent by somebody who joins nothing."""
    return {
        "a message of empty fragments": lambda: iter([UPGRADE, FIRST_FRAGMENT, *[EMPTY_FRAGMENT * 10_000] * 10]),
        "a message in little pieces": lambda: _little(UPGRADE + b"\x81\xfe\xea\x60aaaa" + b"a" * 60_000),
    }


def _little(data: bytes) -> Iterator[bytes]:
    step = max(len(data) // PIECES, 1)
    return (data[first : first + step] for first in range(0, len(data), step))


def everything() -> dict[str, Callable[[], Iterator[bytes]]]:
    """Return all of that, bodies to an address where nothing is and to one that asks for a key."""
    found = {**heads(), **sockets()}
    for path in (b"/nothing", b"/api/jobs"):
        found |= {f"{name} to `{path.decode()}`": pieces for name, pieces in bodies(path).items()}
    return found
