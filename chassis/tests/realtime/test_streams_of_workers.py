"""Streams with two workers: a viewer of the other one sees, joins and stops them, and learns when their worker dies."""

import os
import signal

import pytest

from chassis.tests.conftest import TRANSPORTS
from chassis.tests.realtime.test_streams import GUNICORN, UNHURRIED, ended, text
from chassis.tests.realtime.test_workers import SETTINGS, clients, one_on_each

__all__ = ["clients"]


@pytest.fixture
def fake(fake_upstream):
    return fake_upstream()


@pytest.fixture
def pair(serve, fake):
    return serve(
        command=GUNICORN,
        UPSTREAM_BASE_URL=fake.base_url,
        SOCKET_TRANSPORT=TRANSPORTS[0],
        STREAM_HEARTBEAT_SECONDS="1",
        STREAM_UNWATCHED_SECONDS="3",
        **UNHURRIED,
        **SETTINGS,
    )


def test_the_viewer_at_the_other_worker_sees_and_stops_it(pair, fake, clients, wait_for):
    one, two = one_on_each(clients, pair)
    one.join("shared")
    name = one.call("ask", {"prompt": "[forever]", "room": "shared"})["id"]
    wait_for(lambda: text(one, name))
    (running,) = two.join("shared")["stream"]["streams"]
    assert running["id"] == name
    wait_for(lambda: text(two, name))
    one.cut()  # the other viewer keeps it alive for longer than STREAM_UNWATCHED_SECONDS
    begun = len(text(two, name))
    wait_for(lambda: len(text(two, name)) > begun + 5 * 4 * 20)
    assert two.call("stream:stop", {"id": name, "room": "shared"}) == {"ok": True}
    wait_for(lambda: ended(two, name))
    assert ended(two, name) == {"outcome": "stopped"}
    wait_for(lambda: fake.stats()["in_flight"] == 0)


def test_the_viewers_of_a_killed_worker_are_told(pair, clients, wait_for):
    one, two = one_on_each(clients, pair)
    two.join("killed")
    workers = dict(enumerate(sorted(pair.workers()), 1))
    one.join("killed")
    name = one.call("ask", {"prompt": "[pause]", "room": "killed"})["id"]
    wait_for(lambda: text(two, name))
    os.kill(workers[one.worker], signal.SIGKILL)
    wait_for(lambda: ended(two, name))
    assert ended(two, name)["error"]["code"] == "interrupted"
