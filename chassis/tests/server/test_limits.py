"""What one client may take of the fast transport, and that others notice nothing when it is too much."""

import contextlib
import json
import re
import threading
import time

import pytest

from chassis.tests.conftest import cpu_seconds
from chassis.tests.patience import wait_until
from chassis.tests.server import wire
from chassis.tests.server.conftest import release, resident_bytes, wait_held
from chassis.tests.server.wire import BINARY, PING, PONG, UPGRADE, Polling, Wire, frame

BUFFER_BYTES = 300_000
LARGE = 10_000  # bytes of an event of a flood
HANDSHAKE = 2
KERNEL_TAKES = 1_000  # events of a flood, more than fits into the buffers of both kernels
SMALL_BUFFER = 4_096
SOON = 0.1  # seconds that the server computes


@pytest.fixture(scope="module")
def fast_settings():
    return {
        "SOCKET_SEND_BUFFER_BYTES": str(BUFFER_BYTES),
        "SOCKET_SEND_BUFFER_MESSAGES": "0",
        "SOCKET_RECEIVE_MESSAGES": "20",
        "SOCKET_RECEIVE_BYTES": "50000",
        "SOCKET_MAX_NAMESPACES": "2",
        "SOCKET_MAX_ROOMS": "3",
    }


@pytest.fixture(scope="module")
def hasty(start_fast):
    """A server that does not wait long for its clients."""
    return start_fast(SOCKET_HANDSHAKE_SECONDS=str(HANDSHAKE), HTTP_HEADER_SECONDS="5")


@pytest.fixture
def bystander(fast):
    """Another client's websocket, that has to notice nothing."""
    client = wire.join(fast.port)
    yield client
    client.end()


def refused(server, reason):
    """Return how many connections a limit has closed or refused."""
    found = re.search(rf'socket_refused_total{{reason="{reason}"}} (\S+)', server.get("/metrics")[1])
    return float(found[1]) if found else 0


def flood(server, count):
    assert server.request("POST", f"/flood/{count}")[0] == 200


def call(client, event, *args):
    """Return what an event's handler answers."""
    client.text("421" + json.dumps([event, *args]))
    while not (said := client.read_text()).startswith("431"):
        continue
    (answer,) = json.loads(said[3:])
    return answer


def code(answer):
    return answer["error"]["code"]


def ends(client):
    """Read what is still there, up to the end of the connection."""
    try:
        while True:
            client.read()
    except (EOFError, ConnectionResetError):
        return True


def closed_for(server, reason, before):
    """Return whether one more connection was closed for this reason, and told so in the log."""
    lines = [line for line in server.log.splitlines() if f'"{reason}"' in line and "socket_closed_by_limit" in line]
    return refused(server, reason) == before + 1 and lines


def test_a_client_that_does_not_read_is_closed_and_others_get_everything(fast, bystander):
    before = refused(fast, "send_buffer_full")
    slow = wire.join(fast.port, SMALL_BUFFER)
    at_once = BUFFER_BYTES // LARGE - 1
    for _ in range(KERNEL_TAKES // at_once):
        flood(fast, at_once)
        assert all(bystander.read_text().startswith('42["flood","x') for _ in range(at_once))
    assert closed_for(fast, "send_buffer_full", before)
    assert ends(slow)
    bystander.text('42["echo",1]')
    assert bystander.read_text() == '42["echo",1]'


def test_a_client_that_does_not_poll_is_closed(fast):
    before = refused(fast, "send_buffer_full")
    client = Polling(fast.port, joined=True)
    flood(fast, BUFFER_BYTES // LARGE - 1)
    assert client.get()[1].count("x" * LARGE) == BUFFER_BYTES // LARGE - 1
    flood(fast, BUFFER_BYTES // LARGE + 1)
    assert client.get()[0] == 400
    assert closed_for(fast, "send_buffer_full", before)


def test_a_client_whose_handlers_cannot_keep_up_is_closed(fast, bystander):
    before = refused(fast, "receive_queue_full")
    client = wire.join(fast.port).text('42["hold",0]', *['42["echo",1]'] * 20)
    assert client.send(frame(PING, b"all is read")).read() == (PONG, b"all is read")
    bystander.text('42["echo",1]')
    assert bystander.read_text() == '42["echo",1]'
    assert client.text('42["echo",1]').read_close() == 1008
    assert closed_for(fast, "receive_queue_full", before)
    bystander.text('42["echo",2]')
    assert bystander.read_text() == '42["echo",2]'
    release(fast)


def test_what_waits_within_the_limit_is_handled_in_its_order(fast):
    client = wire.join(fast.port).text('42["slow",0.3,0]', *[f'42["echo",{i}]' for i in range(20)])
    assert client.read_text() == '42["done",0]'
    assert [client.read_text() for _ in range(20)] == [f'42["echo",{i}]' for i in range(20)]
    client.text('42["slow",0.3,0]', *[f'42["echo",{i}]' for i in range(20)])
    assert client.read_text() == '42["done",0]'


@pytest.mark.parametrize("event", ['42["echo",1]', '42["no such event"]', "43999[]"])
def test_one_clients_flood_holds_up_nobody_else(fast, bystander, event):
    flooder, stopping = wire.join(fast.port), threading.Event()
    events = frame(wire.TEXT, event) * 1_000

    def send():
        while not stopping.is_set():
            flooder.send(events)

    def receive():
        with contextlib.suppress(OSError, EOFError):
            while True:
                flooder.read()

    threads = [threading.Thread(target=work, daemon=True) for work in (receive, send)]
    for thread in threads:
        thread.start()
    (worker,) = fast.workers()
    before = cpu_seconds(worker)
    for _ in range(20):
        assert bystander.text('42["echo",1]').read_text() == '42["echo",1]'
    spent = cpu_seconds(worker) - before
    stopping.set()
    threads[1].join()
    flooder.end_reading()
    threads[0].join()
    flooder.cut()
    assert spent / 20 < SOON


def test_many_packets_in_one_post_hold_up_nobody_else(fast, bystander):
    client = Polling(fast.port, joined=True)
    packets = "\x1e".join(["43999[]", "3", '42["no such event"]'] * 333)
    posting = threading.Thread(target=lambda: [client.post(packets) for _ in range(60)], daemon=True)
    posting.start()
    answered = 0
    while posting.is_alive():
        assert bystander.text('42["echo",1]').read_text() == '42["echo",1]'
        answered += 1
    assert answered > 10
    client.leave()


@pytest.mark.parametrize("binary", [False, True])
def test_a_client_whose_waiting_messages_are_too_large_is_closed(fast, binary):
    before = refused(fast, "receive_queue_full")
    client = wire.join(fast.port).text('42["hold",0]')
    for _ in range(3):
        if binary:
            places = ",".join(f'{{"_placeholder":true,"num":{i}}}' for i in range(20))
            client.text(f'4520-["echo",{places}]').send(*[frame(BINARY, b"x" * 1_000)] * 20)
        else:
            client.text(f'42["echo","{"x" * 20_000}"]')
    assert client.read_close() == 1008
    assert closed_for(fast, "receive_queue_full", before)
    release(fast)


def test_a_client_may_be_in_so_many_namespaces(fast):
    client = wire.join(fast.port)
    assert client.text("40/all,").read_text().startswith("40/all,{")
    assert client.text("40/classy,").read_text() == '44/classy,{"message":"Too many namespaces"}'
    client.text("41/all,")
    assert client.text("40/classy,").read_text().startswith("40/classy,{")


def test_a_client_may_be_in_so_many_rooms(fast):
    client, other = wire.join(fast.port), wire.join(fast.port)
    for room in ("a", "b", "c", "c"):
        assert room in call(client, "join", room)
    assert code(call(client, "join", "d")) == "too_many_rooms"
    assert "d" in call(other, "join", "d")
    call(client, "leave", "a")
    assert "d" in call(client, "join", "d")


def test_a_client_that_joins_nothing_is_closed(hasty):
    before, bystander = refused(hasty, "handshake_timeout"), wire.join(hasty.port)
    began = time.monotonic()
    silent, polling = wire.open_session(hasty.port)[0], Polling(hasty.port)
    refused_only = wire.open_session(hasty.port)[0].text("40/nowhere,")
    assert refused_only.read_text().startswith("44")
    assert silent.read_close() == 1008
    assert time.monotonic() - began > HANDSHAKE - 0.1
    assert refused_only.read_close() == 1008
    assert polling.get()[0] == 400
    assert refused(hasty, "handshake_timeout") == before + 3  # so no ping has found them
    bystander.text('42["echo",1]')
    assert bystander.read_text() == '42["echo",1]'


def test_a_client_that_does_not_finish_its_upgrade_stays_on_polls(hasty):
    client = Polling(hasty.port, joined=True)
    asked = client.upgrading()
    assert asked.read_close() == 1008
    asked = client.upgrading().text("2probe")
    assert asked.read_text() == "3probe"
    assert asked.read_close() == 1008
    assert client.post('42["echo",1]') == (200, "ok")
    assert client.get() == (200, '42["echo",1]')
    client.leave()


@pytest.mark.long
def test_a_client_that_does_not_finish_its_request_is_closed(hasty):
    silent, slow = Wire(hasty.port), Wire(hasty.port)
    slow.send(b"GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\n")

    def closed():
        try:
            slow.send(b"X")  # of the name of one header
        except OSError:
            return True

    wait_until(closed, "the server still waits for the rest")
    assert silent.ended()


def test_no_more_clients_are_let_in_than_there_may_be(matrix, wait_for):
    server = matrix(SOCKET_MAX_CONNECTIONS="3")
    first, second, third = wire.join(server.port), wire.join(server.port), Polling(server.port, joined=True)
    for path, headers in ((wire.path("polling"), None), (wire.path(), UPGRADE)):
        status, answered, body = Wire(server.port).request("GET", path, headers).answer()
        assert (status, answered["retry-after"]) == (503, "5")
        assert "Too many" in json.loads(body)["message"]
    assert refused(server, "too_many_connections") == 2
    assert third.upgrading().text("2probe").read_text() == "3probe"
    first.cut()
    wait_for(lambda: Wire(server.port).request("GET", wire.path("polling")).answer()[0] == 200)
    second.text('42["echo",1]')
    assert second.read_text() == '42["echo",1]'


def test_no_more_clients_of_one_address_are_let_in_than_there_may_be(matrix):
    server = matrix(SOCKET_MAX_CONNECTIONS_PER_ADDRESS="2")

    def status(address):
        return Wire(server.port, address=address).request("GET", wire.path(), UPGRADE).answer()[0]

    clients = [wire.join(server.port), wire.join(server.port)]
    assert status("127.0.0.1") == 503
    assert status("127.0.0.2") == 101
    assert refused(server, "too_many_connections_of_address") == 1
    clients[0].text("1").read_close()
    assert status("127.0.0.1") == 101


@pytest.fixture(scope="module")
def strict(start_fast):
    """A server that counts messages instead of bytes, and events."""
    settings = {"SOCKET_SEND_BUFFER_BYTES": "0", "SOCKET_SEND_BUFFER_MESSAGES": "50"}
    return start_fast(**settings, SOCKET_EVENTS_PER_SECOND="1", SOCKET_EVENTS_BURST="3")


def test_a_client_for_which_too_many_messages_wait_is_closed(strict):
    before = refused(strict, "send_buffer_full")
    polling = Polling(strict.port, joined=True)
    flood(strict, 50)
    assert polling.get()[1].count("x" * LARGE) == 50
    flood(strict, 51)
    assert polling.get()[0] == 400
    assert closed_for(strict, "send_buffer_full", before)
    slow = wire.join(strict.port, SMALL_BUFFER)
    flood(strict, KERNEL_TAKES)
    assert closed_for(strict, "send_buffer_full", before + 1)
    assert ends(slow)


def test_messages_wait_for_a_slow_connect_handler_within_the_limit(strict):
    before = refused(strict, "send_buffer_full")
    for count in (47, 51):
        client = wire.open_session(strict.port)[0].text('40{"please":"wait"}')
        wait_held(strict)
        flood(strict, count)
        if count == 47:
            release(strict)
            assert client.read_text().startswith("40{")
            assert sum("flood" in client.read_text() for _ in range(49)) == 47
        else:
            assert client.read()[0] == wire.CLOSE
            release(strict)
    assert closed_for(strict, "send_buffer_full", before)


def test_what_a_client_leaves_unfinished_goes_with_it(fast):
    (pid,) = fast.workers()
    before, present = resident_bytes(pid), fast.json("/present")
    unfinished = frame(wire.TEXT, b"x" * 900_000, length=901_000)
    for _ in range(60):
        client = wire.join(fast.port).send(unfinished, frame(PING)[:1])
        client.end()
    wait_until(lambda: fast.json("/present") <= present, "clients that left are kept")
    assert resident_bytes(pid) - before < 25_000_000


def test_a_client_that_sends_too_many_events_is_told_so(strict):
    client, other = wire.join(strict.port), wire.join(strict.port)
    client.text(*[f'42{i}["echo",{i}]' for i in range(10)])
    answers = []
    while len(answers) < 10:
        if (said := client.read_text()).startswith("43"):
            answers.append(json.loads(said[3:])[0])
    assert answers[:3] == [0, 1, 2]
    assert "rate_limited" in [code(answer) for answer in answers if isinstance(answer, dict)]
    assert call(client, "whoami")["event"] == "whoami"
    assert call(other, "echo", 4) == 4
    wait_until(lambda: call(client, "echo", 5) == 5)


def test_zero_is_no_limit(matrix):
    names = ("SEND_BUFFER_BYTES", "SEND_BUFFER_MESSAGES", "RECEIVE_BYTES", "RECEIVE_MESSAGES", "HANDSHAKE_SECONDS")
    names += ("MAX_CONNECTIONS", "MAX_CONNECTIONS_PER_ADDRESS", "MAX_NAMESPACES", "MAX_ROOMS", "EVENTS_PER_SECOND")
    server = matrix(**{f"SOCKET_{name}": "0" for name in names})
    idle, polling = wire.open_session(server.port)[0], Polling(server.port, joined=True)
    client = wire.join(server.port).text('42["slow",0.3,0]', *[f'42["echo",{i}]' for i in range(2_000)])
    assert client.read_text() == '42["done",0]'
    assert [client.read_text() for _ in range(2_000)][-1] == '42["echo",1999]'
    flood(server, 500)
    assert polling.get()[1].count("x" * LARGE) == 500
    client.end()
    assert idle.text("40").read_text().startswith("40{")
    assert server.metric("socket_refused_total") == 0
