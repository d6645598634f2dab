"""A client that sends faster than its handlers work is closed, and holds up nobody else."""

import contextlib
import threading

import pytest

from chassis.tests.conftest import cpu_seconds
from chassis.tests.server import wire
from chassis.tests.server.conftest import release
from chassis.tests.server.limits.probes import closed_for, refused
from chassis.tests.server.wire import BINARY, PING, PONG, Polling, frame

SOON = 0.1  # seconds that the server computes


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
