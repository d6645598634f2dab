"""A real server under random bytes: it neither ends, hangs nor grows, and an ordinary client notices nothing."""

import contextlib
import json
import os
import random

import pytest

from chassis.tests.conftest import cpu_seconds
from chassis.tests.fuzzing import EXAMPLES, NEW
from chassis.tests.server import wire
from chassis.tests.server.conftest import resident_bytes
from chassis.tests.server.wire import UPGRADE, Wire, frame

pytestmark = pytest.mark.fuzz
LONGEST_WAIT_SECONDS = 10.0  # of the server's processor time
GROWTH_BYTES = 20_000_000
TEXTS = [
    *("", "1", "2", "3", "4", "5", "6", "2probe", "40", "41", "42", "43", "44", "45", "40/all,", "41/all,", "4x"),
    *('42["echo",1]', '421["echo",{"a":[1e999]}]', '42/all,1["x"]', "43[1]", '4399["x"]', '42["with callback"]'),
    *('451-["echo",{"_placeholder":true,"num":0}]', '451-["echo",{"_placeholder":true,"num":9}]', '450-["echo"]'),
    *("42" + "[" * 500 + "]" * 500, '42["slow",0.01,1]', '42["go away"]', '42["session","a",1]', '42["echo"'),
]
OURS = ("could not be handled", "green thread failed", "request_raised", '"status": 500', "A connect handler failed")


def seed():
    """Return the same seed each time, or when new input is searched for a new one, which a failure shows."""
    return int.from_bytes(os.urandom(4)) if NEW else 0


def some_frame(chance):
    kind = chance.random()
    if kind < 0.7:
        return frame(wire.TEXT, chance.choice(TEXTS), mask=chance.randbytes(4))
    if kind < 0.9:
        opcode = chance.choice([wire.BINARY, wire.PING, wire.PONG, wire.CONTINUATION, chance.randrange(16)])
        return frame(opcode, chance.randbytes(chance.choice([0, 1, 125, 126, 3_000])), final=chance.random() < 0.8)
    if kind < 0.95:
        return chance.randbytes(chance.randrange(40))
    return frame(wire.TEXT, chance.choice(TEXTS), reserved=chance.randrange(8), length=chance.choice([0, 9, 1 << 40]))


def misbehave(port, chance):
    """Send some of everything on one connection, and end it in one of the ways there are."""
    client = Wire(port)
    if chance.random() < 0.8:
        client.request("GET", wire.path(), UPGRADE)
        if chance.random() < 0.8:
            client.text("40")
    with contextlib.suppress(OSError):
        for _ in range(chance.randrange(12)):
            data = some_frame(chance)
            cut = chance.randrange(len(data) + 1)
            client.send(data[:cut]).send(data[cut:])
    with contextlib.suppress(OSError):
        chance.choice([client.cut, client.end, client.end_writing])()
    return client


def poll_badly(port, chance):
    """Ask for sessions in odd ways, and send odd bodies to real ones."""
    query = {"sid": chance.choice(["x", "", "\x00", "%"]), "transport": chance.choice(["polling", "websocket", "x"])}
    sid = ""
    with contextlib.suppress(OSError, EOFError):
        wire.Wire(port).request("GET", wire.path(**{k: v for k, v in query.items() if chance.random() < 0.5})).answer()
        body = wire.Wire(port).request("GET", wire.path("polling")).answer()[2]
        sid = json.loads(body[1:])["sid"]
        payload = "\x1e".join(chance.choice([*TEXTS, "bAQI=", "b!"]) for _ in range(chance.randrange(1, 5)))
        method = chance.choice(["POST", "POST", "GET", "PUT"])
        client = wire.Wire(port).request(method, wire.path("polling", sid=sid), body=payload.encode())
        if method != "GET":
            client.answer()
        client.end()


def batch(server, ordinary, chance, count):
    """Misbehave so often; an ordinary client asks in between and has to be answered soon."""
    held = []
    for number in range(count):
        held.append(misbehave(server.port, chance))
        if number % 4 == 0:
            poll_badly(server.port, chance)
        if number % 10 == 0:
            began = cpu_seconds(server.workers()[0])
            ask(ordinary, number)
            assert cpu_seconds(server.workers()[0]) - began < LONGEST_WAIT_SECONDS
        if len(held) > 50:
            held.pop(0).end()
    for client in held:
        client.end()


def ask(ordinary, number):
    """Let an ordinary client ask for an echo, and answer the pings that come meanwhile."""
    ordinary.text(f'42["echo",{number}]')
    while (said := ordinary.read_text()) == "2":
        ordinary.text("3")
    assert said == f'42["echo",{number}]'


def check(server, connections, wait_for):
    chosen = seed()
    chance, pids = random.Random(chosen), server.workers()
    ordinary = wire.join(server.port)
    batch(server, ordinary, chance, connections // 3)  # what is made once is made now
    before = resident_bytes(pids[0])
    batch(server, ordinary, chance, connections)
    ordinary.end()
    wait_for(lambda: server.json("/present") == [0, 0], f"seed {chosen}: something is kept of clients that left")
    assert server.metric("socket_connections") == 0
    assert server.workers() == pids, chosen
    assert resident_bytes(pids[0]) - before < GROWTH_BYTES, chosen
    found = [line for line in server.log.splitlines() if any(sign in line for sign in OURS)]
    assert not found, (chosen, found[:3])


@pytest.fixture(scope="module")
def fast_settings():
    return {
        "SOCKET_HANDSHAKE_SECONDS": "1",
        "SOCKET_PING_INTERVAL_SECONDS": "2",
        "SOCKET_PING_TIMEOUT_SECONDS": "10",
    }


def test_a_server_stays_as_it_is_under_random_bytes(fast, wait_for):
    check(fast, 150, wait_for)


@pytest.mark.long
def test_a_server_stays_as_it_is_under_many_random_bytes(fast, wait_for):
    check(fast, max(1_000, EXAMPLES), wait_for)
