"""Two workers without Redis: limits count over both, and a killed worker's part is subtracted."""

import itertools
import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import socketio

from chassis.tests.chosen import at_once, lines_of_all, workers_of
from chassis.tests.conftest import gunicorn
from chassis.tests.patience import LIMIT_SECONDS, wait_until
from chassis.tests.security.conftest import ask
from chassis.upstream.pace import CATCH_UP_SECONDS

COMMAND = gunicorn(Path(__file__).parent, "several_app:app")
MANY, LIMIT, SOCKETS = 100, 10, 12
addresses = (f"198.51.100.{number}" for number in itertools.count(1))


@pytest.fixture
def several(serve):
    """Return a function that starts the service with two workers."""

    def start(**env):
        return serve(
            command=COMMAND,
            GUNICORN_WORKERS="2",
            SOCKET_TRANSPORTS="websocket",
            TRUSTED_PROXIES="127.0.0.1",
            **env,
        )

    return start


def many(server, address):
    """Return the answers to many requests from an address at once, as many of each worker."""
    lines = lines_of_all(server, MANY)
    return at_once(lambda line: ask(server, "/api/where", line=line, X_Forwarded_For=address), lines)


def connect(server, address):
    """Return a socket, or None if it is refused."""
    one = socketio.Client(reconnection=False, request_timeout=LIMIT_SECONDS)
    try:
        headers = {"X-Forwarded-For": address}
        one.connect(server.url, headers=headers, transports=["websocket"], wait_timeout=LIMIT_SECONDS)
    except socketio.exceptions.ConnectionError:
        return None
    return one


def worker_of(one):
    return one.call("worker", timeout=LIMIT_SECONDS)


def fill(server, address, limit):
    """Return the sockets that an address may have; each worker has some, as new ones go to that with the fewest."""

    def filled():
        sockets = [connect(server, address) for _ in range(limit)]
        assert connect(server, address) is None
        if len({worker_of(one) for one in sockets}) == 2:
            return sockets
        for one in sockets:  # the other worker has not booted yet
            one.disconnect()
        wait_until(lambda: server.metric("socket_connections") == 0, "sockets stayed open")
        return None

    return wait_until(filled, "one worker takes all")


def test_an_address_has_one_budget_whichever_worker_answers(several):
    server = several(RATE_LIMIT_DEFAULT=f"{LIMIT} per hour", RATE_LIMIT_BURST="1000 per second")
    while True:
        before, address = server.log.count("limits_not_shared"), next(addresses)
        answers = many(server, address)
        if server.log.count("limits_not_shared") == before:  # on a machine this busy, a worker counts by itself
            break
    assert sorted(answer.status for answer in answers) == [200] * LIMIT + [429] * (MANY - LIMIT)
    workers = workers_of(answers)
    assert len(workers) == 2
    os.kill(server.pid, signal.SIGHUP)
    wait_until(lambda: not workers & {str(pid) for pid in server.workers()}, "the old workers did not end")
    assert {answer.status for answer in many(server, address)} == {429}


def test_a_killed_workers_sockets_are_free_again(several):
    server = several(SOCKET_MAX_CONNECTIONS_PER_ADDRESS=str(SOCKETS))
    address = next(addresses)
    sockets = fill(server, address, SOCKETS)
    victim = worker_of(sockets[0])
    kept = [one for one in sockets if worker_of(one) != victim]
    os.kill(victim, signal.SIGKILL)
    wait_until(lambda: sum(one.connected for one in sockets) == len(kept), "a socket of the killed worker stayed")
    wait_until(lambda: len(server.workers()) == 2, "no new worker came")
    wait_until(lambda: (one := connect(server, address)) and kept.append(one) is None, "its places stayed taken")
    more = [connect(server, address) for _ in range(SOCKETS)]
    kept += [one for one in more if one]
    assert len(kept) == SOCKETS
    for one in kept:
        one.disconnect()


def test_the_total_of_all_sockets_counts_over_both_workers(several):
    server = several(SOCKET_MAX_CONNECTIONS=str(SOCKETS))
    sockets = [one for one in (connect(server, next(addresses)) for _ in range(SOCKETS + 3)) if one]
    assert len(sockets) == SOCKETS
    sockets[0].disconnect()
    wait_until(lambda: (one := connect(server, next(addresses))) and sockets.append(one) is None, "no place was freed")
    for one in sockets[1:]:
        one.disconnect()


def test_calls_of_both_workers_start_at_one_pace(several, fake_upstream):
    server = several(UPSTREAM_BASE_URL=fake_upstream().base_url, UPSTREAM_REQUESTS_PER_SECOND="20")
    lines, since = lines_of_all(server, 30), time.monotonic()
    answers = asked(server, lines)
    assert time.monotonic() - since >= 29 / 20 - CATCH_UP_SECONDS
    assert {answer.status for answer in answers} == {200}
    assert len(workers_of(answers)) == 2


def test_calls_of_both_workers_have_one_limit(several, fake_upstream):
    upstream = fake_upstream(latency=0.1)
    server = several(UPSTREAM_BASE_URL=upstream.base_url, UPSTREAM_MAX_CONCURRENT_REQUESTS="4")
    answers = asked(server, lines_of_all(server, 40))
    assert {answer.status for answer in answers} == {200}
    assert len(workers_of(answers)) == 2
    assert upstream.stats()["max_in_flight"] == 4


def test_a_pause_that_one_worker_was_told_holds_for_the_other(several, fake_upstream):
    upstream = fake_upstream()
    server = several(UPSTREAM_BASE_URL=upstream.base_url)
    told, *lines = lines_of_all(server, 21)
    with ThreadPoolExecutor(1) as pool:
        pausing = pool.submit(ask, server, "/api/ask/%5B429%5D", line=told)
        wait_until(lambda: paused(server) or len(upstream.stats()["starts"]) > 1, "there was no pause")
        answers = asked(server, lines)
    first, *others = sorted(upstream.stats()["starts"])
    assert others[0] - first >= 1 - CATCH_UP_SECONDS  # as its Retry-After says
    assert {answer.status for answer in (pausing.result(), *answers)} == {200}
    assert len(workers_of(answers)) == 2


def asked(server, lines):
    """Return the answers to prompts that are sent at once, one over each line."""
    return at_once(lambda both: ask(server, f"/api/ask/{both[0]}", line=both[1]), enumerate(lines))


def paused(server):
    return ask(server, "/api/calls").json["paused_seconds"] > 0
