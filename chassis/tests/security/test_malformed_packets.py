"""Malformed packets of every kind, ten thousand in the long run: the worker stays, and others notice nothing."""

import contextlib
import itertools

import pytest

from chassis.tests.conftest import ASYNC_MODE
from chassis.tests.patience import wait_until
from chassis.tests.server import wire
from chassis.tests.server.conftest import resident_bytes
from chassis.tests.server.wire import BINARY, CLOSE, CONTINUATION, PING, TEXT, Wire, frame

pytestmark = [
    pytest.mark.skipif(ASYNC_MODE == "threading", reason="the fast transport needs green threads"),
]
PACKETS = [1_000, pytest.param(10_000, marks=pytest.mark.long)]
GROWTH_BYTES = 20_000_000
ENDED = (EOFError, OSError)

IGNORED = [  # or answered, but the connection stays
    frame(TEXT, packet)
    for packet in (
        *('42["no such event"]', '421["no such event",1]', '42["job:subscribe"]', '421["job:unsubscribe",[],{},null]'),
        *('42["*"]', '42[""]', '42["job:subscribe",{"id":{}}]'),
        *(
            '421["job:subscribe","' + "x" * 5_000 + '"]',
            '421["job:unsubscribe",1e999]',
            '421["job:unsubscribe","\\u0000"]',
        ),
        *("3", "3probe", "431[]", '43999["x"]', "5", "42[1]", '450-["x"]'),
    )
] + [frame(PING, b"?"), frame(wire.PONG, b"!")]
FATAL = [  # the connection ends
    *(
        frame(TEXT, packet)
        for packet in (
            *("", "x", "7", "9", "2probe", "4", "4x", "48", "42", "42{}", "42[]", '42"x"', "42["),
            *("42" + "[" * 100_000, "42[" + "9" * 5_000 + "]", '42["x",NaN]', "42[null]", '42["x"]]', "420"),
            *('42["connect"]', '42["disconnect"]', '42/elsewhere,["x"]', "41/elsewhere,"),
            *("4299999999999999999999[]", "43", "43[]", "431{}", "431", "44[]", "45", "45-", "45-[]", "451-"),
            *('451-["x"]', '459999-["x"]', '451-["x",{"_placeholder":true,"num":9}]' + "x", "46-[1]"),
            *("40", "40[", "40[1]", '40"x"', "0", "0{}", "1", "\u0661", "42\u0661[]", '4/\u0000,["x"]'),
        )
    ),
    frame(BINARY, b"unasked"),
    frame(TEXT, '451-["x",{"_placeholder":true,"num":0}]') + frame(TEXT, '42["x"]'),
    frame(TEXT, b"\xff\xfe"),
    frame(TEXT, b"4\xed\xa0\x80"),
    frame(TEXT, "42[]", mask=None),
    frame(CONTINUATION, b"of nothing"),
    frame(TEXT, b"4", final=False) + frame(TEXT, b"2[]"),
    frame(PING, b"x", final=False),
    frame(PING, b"x" * 126),
    frame(TEXT, b"", length=1 << 40),
    frame(TEXT, b"", length=(1 << 63) + 1),
    frame(TEXT, b"", length=2_000_000),
    *(frame(opcode) for opcode in (3, 7, 11, 15)),
    *(frame(TEXT, "3", reserved=bits) for bits in (1, 2, 4, 7)),
    *(wire.closing(code) for code in (0, 999, 1004, 1005, 1006, 1016, 5000)),
    frame(CLOSE, b"\x03"),
    wire.closing(1000, b"\xff"),
    b"GET / HTTP/1.1\r\n\r\n",
]
POSTS = [
    *(b"", b"x", b"4", b"7", b"\x1e", b"\x1e\x1e\x1e", b"42[", b"42[]\x1e42[", b"b", b"b!!!", b"bAQI=", b"\xff\xfe"),
    *(b"5", b"2probe", b'451-["x"]', b"\x1e" * 1_000, b"42" + b"[" * 50_000, "4\u0661".encode()),
]


class Good:
    """A client that asks again and again, and has to get the answer to each question."""

    def __init__(self, port: int) -> None:
        self._wire, self._numbers = join(port), itertools.count()

    def ask(self) -> None:
        number = next(self._numbers)
        self._wire.text(f'42{number}["is there such an event"]')
        while (said := self._wire.read_text()) == "2":
            self._wire.text("3")
        assert said.startswith(f"43{number}[") and "not_found" in said, said

    def end(self) -> None:
        self._wire.end()


def join(port: int) -> Wire:
    client, _ = wire.open_session(port)
    assert client.text("40").read_text().startswith("40")
    return client


def annoy(port: int, ignored: list[bytes], fatal: bytes) -> int:
    """Send packets that do not end a connection, then one that does; return how many."""
    client = join(port)
    client.send(*ignored, frame(TEXT, '42777["the last one"]'))
    while b"43777[" not in client.read()[1]:
        continue
    with contextlib.suppress(*ENDED):
        client.send(fatal).end_writing()
        while True:
            client.read()
    client.end()
    return len(ignored) + 1


def post_badly(port: int, body: bytes) -> int:
    """Post to a session of long polls; the answer may be anything but a 5xx."""
    session = wire.Polling(port)
    status, _ = session.ask("POST", session.path, body or b" ")
    assert status in (200, 400), (status, body)
    return 1


def annoy_with_all(server, good: Good, packets: int) -> None:
    ignored, fatal, posts = itertools.cycle(IGNORED), itertools.cycle(FATAL), itertools.cycle(POSTS)
    sent = 0
    for number in itertools.count():
        sent += annoy(server.port, list(itertools.islice(ignored, 17)), next(fatal))
        if number % 4 == 0:
            sent += post_badly(server.port, next(posts))
            good.ask()
        if sent >= packets:
            return


@pytest.mark.parametrize("packets", PACKETS)
def test_malformed_packets_change_nothing(site, packets):
    pids, good, log = site.workers(), Good(site.port), len(site.log)
    annoy_with_all(site, good, packets // 4)  # what is made once is made now
    before = resident_bytes(pids[0])
    annoy_with_all(site, good, packets * 3 // 4)
    good.ask()
    good.end()
    wait_until(lambda: site.metric("socket_connections") == 0, "connections of clients that left are kept")
    assert resident_bytes(pids[0]) - before < GROWTH_BYTES
    assert site.workers() == pids
    mistakes = [line for line in site.log[log:].splitlines() if '"level": "error"' in line or "Traceback" in line]
    assert not mistakes, mistakes[:3]
