"""A client that does not read or poll is closed, and others get everything."""

from chassis.tests.patience import wait_until
from chassis.tests.server import wire
from chassis.tests.server.conftest import resident_bytes
from chassis.tests.server.limits.probes import (
    BUFFER_BYTES,
    KERNEL_TAKES,
    LARGE,
    SMALL_BUFFER,
    closed_for,
    ends,
    flood,
    refused,
)
from chassis.tests.server.wire import PING, Polling, frame


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


def test_what_a_client_leaves_unfinished_goes_with_it(fast):
    (pid,) = fast.workers()
    before, present = resident_bytes(pid), fast.json("/present")
    unfinished = frame(wire.TEXT, b"x" * 900_000, length=901_000)
    for _ in range(60):
        client = wire.join(fast.port).send(unfinished, frame(PING)[:1])
        client.end()
    wait_until(lambda: fast.json("/present") <= present, "clients that left are kept")
    assert resident_bytes(pid) - before < 25_000_000
