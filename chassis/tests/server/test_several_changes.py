"""Two workers on one port, of which one is killed, busy or replaced."""

import json
import os
import re
import signal
from pathlib import Path

import pytest

from chassis.server.several.ring import BYTES
from chassis.tests.conftest import ASYNC_MODE
from chassis.tests.patience import wait_until
from chassis.tests.server.several import ALL, MATRIX, POLL, Kept, echoed, one_of_each, worker_of
from chassis.tests.server.test_ring import held
from chassis.tests.server.test_several import on_each
from chassis.tests.server.wire import Wire

pytestmark = pytest.mark.skipif(ASYNC_MODE == "threading", reason="only our own workers hand connections over")


@pytest.fixture
def own_pair(serve):
    """Return a function that starts two workers for one test."""
    return lambda **env: serve(command=MATRIX, GUNICORN_WORKERS="2", SOCKET_TRANSPORT="fast", **ALL, **env)


def test_sessions_of_a_killed_worker_are_unknown_and_the_others_go_on(own_pair):
    server = own_pair()
    sids = one_of_each(server, lambda: Kept(server).session())
    victim = pids(server)[worker_of(sids[0])]
    os.kill(victim, signal.SIGKILL)
    wait_until(lambda: victim not in server.workers())
    wait_until(lambda: Kept(server).ask(f"{POLL}&sid={sids[0]}", "3")[0] == 400)
    assert '42["echo","on"]' in echoed(Kept(server), sids[1], "on")
    wait_until(lambda: len(server.workers()) == 2)
    assert len(one_of_each(server)) == 2


def pids(server):
    """Return the pid of each worker by its number."""

    def at(server):
        sid = Kept(server).open()
        return json.loads(Kept(server).ask(f"/worker?sid={sid}")[1])

    return wait_until(lambda: len(found := dict(at(server) for _ in range(4))) == 2 and found)


def test_a_worker_that_does_not_answer_is_said_to_be_busy_and_nothing_hangs(own_pair):
    server = own_pair()
    sids = one_of_each(server)
    stopped = pids(server)[worker_of(sids[0])]
    os.kill(stopped, signal.SIGSTOP)
    try:
        wires = [Wire(server.port).request("POST", f"{POLL}&sid={sids[0]}", body=b"3") for _ in range(40)]
        busy = wait_until(lambda: [wire for wire in wires if not wire.silent()])
        assert busy[0].answer()[0] == 503
    finally:
        os.kill(stopped, signal.SIGCONT)
    statuses = {wire.answer()[0] for wire in wires if wire is not busy[0]}
    assert statuses <= {200, 400, 503}


def test_a_worker_that_is_stopped_amid_a_message_holds_up_no_other(own_pair):
    server = own_pair()
    one, two = on_each(server)
    with held(memory_of(server)):  # as a worker that gets SIGSTOP between two instructions would
        one.emit("everybody", "first")
        wait_until(lambda: ["first"] in one.got("heard"))
        assert [client.call("echo", "on") for client in (one, two)] == ["on", "on"]
        assert Kept(server).ask("/livez")[0] == 200
        assert ["first"] not in two.got("heard")
    wait_until(lambda: ["first"] in two.got("heard"))
    two.emit("everybody", "last")
    wait_until(lambda: ["last"] in one.got("heard"))
    for client in (one, two):
        client.disconnect()


def test_a_worker_that_stood_still_for_too_many_messages_lets_its_clients_connect_again(own_pair):
    server = own_pair()
    one, two = on_each(server)
    before, stopped = two.eio.sid, pids(server)[worker_of(two.eio.sid)]
    os.kill(stopped, signal.SIGSTOP)
    try:
        many = 2 * BYTES // 10_000
        assert Kept(server).ask(f"/flood/{many}?sid={one.eio.sid}", "x")[0] == 200
    finally:
        os.kill(stopped, signal.SIGCONT)
    wait_until(lambda: two.connected and two.eio.sid != before)
    assert "This worker missed messages" in server.log
    wait_until(lambda: server.request("POST", "/emit")[0] == 200 and ["from a request"] in two.got("heard"))
    for client in (one, two):
        client.disconnect()


def memory_of(server):
    """Return the folder in which the workers of a server meet."""
    found = re.search(r"\S+/workers-\S+(?=/messages)", Path(f"/proc/{server.workers()[0]}/maps").read_text())
    return Path(found[0])


def test_a_reload_serves_old_sessions_until_they_are_closed_and_fails_nothing(own_pair):
    server = own_pair()
    sids = one_of_each(server, lambda: Kept(server).session())
    seen = {sid: [] for sid in sids}
    server.process.send_signal(signal.SIGHUP)

    def ended():
        for sid, statuses in seen.items():
            statuses.append(Kept(server).ask(f"{POLL}&sid={sid}", '42["echo",1]')[0])
        return all(statuses[-1] == 400 for statuses in seen.values())

    wait_until(ended)
    assert all(set(statuses) <= {200, 400} and statuses[0] == 200 for statuses in seen.values())
    before = {worker_of(sid) for sid in sids}
    assert not before & {worker_of(sid) for sid in one_of_each(server, lambda: Kept(server).session())}


def test_new_sessions_go_to_the_worker_with_the_fewest(own_pair):
    server, numbers = own_pair(), []

    def even():
        numbers.append(worker_of(Kept(server).open()))
        counts = [numbers.count(number) for number in set(numbers)]
        return len(numbers) >= 20 and len(counts) == 2 and max(counts) - min(counts) <= 4

    wait_until(even, "one worker has clearly more than the other")
