"""Who is in a room: told when it changes, and gone when their process is."""

import os
import signal
import sqlite3
import time
from contextlib import closing

import pytest

from chassis.realtime.presence import TICK_SECONDS


def enter(client, room, member):
    return client.call("presence:enter", {"room": room, "member": member})["members"]


def members(client, room):
    return client.call("presence:list", {"name": room})


def told(client, kind):
    """Return the names that came in events of a client, in the order they did."""
    return [name for event, data in client.received if event == "presence:update" for name in data[kind]]


def lease_end(server):
    """Return when the last of the leases ends."""
    with closing(sqlite3.connect(server.env["DATABASE_URL"].removeprefix("sqlite:///"))) as connection:
        return connection.execute("SELECT max(expires_at) FROM presence_holders").fetchone()[0]


def test_who_comes_and_goes_is_told_to_those_in_the_room(server, connect, wait_for):
    ann, bob, tab, outside = (connect(server) for _ in range(4))
    assert enter(ann, "tea", "ann") == ["ann"]
    assert enter(bob, "tea", "bob") == ["ann", "bob"]
    wait_for(lambda: told(ann, "joined") == ["ann", "bob"])
    assert enter(tab, "tea", "bob") == ["ann", "bob"]
    tab.disconnect()
    bob.call("presence:leave", {"name": "tea"})
    wait_for(lambda: told(ann, "left") == ["bob"])
    assert members(ann, "tea") == ["ann"]
    last = [data for event, data in ann.received if event == "presence:update"][-1]
    assert (last["room"], last["count"], last["stream"]["room"]) == ("tea", 1, "tea")
    assert members(ann, "coffee") == []
    assert outside.received == []


@pytest.mark.parametrize("how", ["disconnect", "cut", "break_the_protocol"])
def test_who_disconnects_has_left(server, connect, wait_for, how):
    room = f"left-{how}"
    ann, bob = connect(server, transports=["websocket"]), connect(server, transports=["websocket"])
    enter(ann, room, "ann"), enter(bob, room, "bob")
    wait_for(lambda: "bob" in told(ann, "joined"))
    getattr(bob, how)()
    wait_for(lambda: told(ann, "left") == ["bob"])
    assert members(ann, room) == ["ann"]


def test_many_who_come_at_once_are_told_in_few_events(server, connect, wait_for):
    began, ann, many = time.monotonic(), connect(server), [connect(server) for _ in range(20)]
    enter(ann, "crowd", "ann")
    for number, client in enumerate(many):
        client.emit("presence:enter", {"room": "crowd", "member": f"guest {number:02}"})
    wait_for(lambda: len(told(ann, "joined")) == 21)
    for client in many:
        client.eio.disconnect(abort=True)
    wait_for(lambda: len(told(ann, "left")) == 20)
    assert len(told(ann, "joined")) == 21
    updates = [data for event, data in ann.received if event == "presence:update"]
    assert len(updates) <= (time.monotonic() - began) / TICK_SECONDS + 1
    assert updates[-1]["count"] == 1


@pytest.mark.long
def test_who_was_there_by_way_of_a_killed_worker_is_gone_when_its_lease_runs_out(live, connect, wait_for):
    server = live(PRESENCE_LEASE_SECONDS="4")
    enter(connect(server, transports=["websocket"]), "tea", "ann")
    worker = server.workers()[0]
    os.kill(worker, signal.SIGKILL)
    wait_for(lambda: server.workers() not in ([], [worker]) and server.get("/readyz")[0] == 200)
    bob = connect(server)
    wait_for(lambda: enter(bob, "tea", "bob") and members(bob, "tea") == ["bob"])
    first_end = lease_end(server)
    wait_for(lambda: lease_end(server) > first_end + 4)  # the lease was renewed after its first end
    assert members(bob, "tea") == ["bob"], "a lease is renewed while its process lives"


def test_a_process_that_stops_takes_its_members_along_at_once(restarted, connect, wait_for):
    assert enter(connect(restarted), "tea", "ann") == ["ann"]
    restarted.stop()
    restarted.start()
    restarted.wait_ready()
    assert members(connect(restarted), "tea") == []


def test_a_process_that_was_taken_for_dead_enters_its_members_again(small, connect, wait_for):
    from sqlalchemy import create_engine, text

    ann = connect(small, transports=["websocket"])
    enter(ann, "tea", "ann")
    engine = create_engine(small.env["DATABASE_URL"])
    with engine.begin() as connection:
        connection.execute(text("DELETE FROM presence"))
        connection.execute(text("DELETE FROM presence_holders"))
        assert connection.execute(text("SELECT count(*) FROM presence")).scalar() == 0
    wait_for(lambda: members(ann, "tea") == ["ann"])
    engine.dispose()


def test_a_name_that_is_too_long_is_refused(server, connect):
    answer = connect(server).call("presence:enter", {"room": "tea", "member": "x" * 256})
    assert answer["error"]["code"] == "bad_request"
