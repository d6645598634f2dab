"""Messages that wait and events of a second are counted where a limit says so."""

import json

import pytest

from chassis.tests.patience import wait_until
from chassis.tests.server import wire
from chassis.tests.server.conftest import release, wait_held
from chassis.tests.server.limits.probes import (
    KERNEL_TAKES,
    LARGE,
    SMALL_BUFFER,
    call,
    closed_for,
    code,
    ends,
    flood,
    refused,
)
from chassis.tests.server.wire import Polling


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
