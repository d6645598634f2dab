"""Two workers without Redis: limits count over both, and a killed worker's part is subtracted."""

import itertools
import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import socketio

from chassis.tests.conftest import gunicorn
from chassis.tests.patience import LIMIT_SECONDS, wait_until
from chassis.tests.security.conftest import ask
from chassis.upstream.pace import CATCH_UP_SECONDS

COMMAND = gunicorn(Path(__file__).parent, "several_app:app")
MANY, LIMIT, SOCKETS, ATTEMPTS = 100, 10, 12, 20
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


def at_once(function, arguments):
    """Call the function with every argument at the same time; return what it returned."""
    arguments = list(arguments)
    with ThreadPoolExecutor(len(arguments)) as pool:
        return list(pool.map(function, arguments))


def workers_of(answers):
    return {answer.headers["X-Worker"] for answer in answers}


def by_both(attempt):
    """Return the answers of the first attempt in which both workers had a part: an idle one may accept everything."""
    for number in range(ATTEMPTS):
        answers = attempt(number)
        if len(workers_of(answers)) == 2:
            return answers
    raise AssertionError("one worker takes all")


def many(server, address):
    """Return the answers to many requests from an address at once."""
    return at_once(lambda _: ask(server, "/api/where", X_Forwarded_For=address), range(MANY))


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
    """Connect until an address is refused; return its sockets, of which each worker has some."""
    while True:
        found = [one for one in (connect(server, address) for _ in range(limit + 1)) if one]
        assert len(found) == limit
        if len({worker_of(one) for one in found}) == 2:
            return found
        for one in found:  # a worker that was idle has accepted all of them
            one.disconnect()
        wait_until(lambda: server.metric("socket_connections") == 0, "sockets stayed open")


def test_an_address_has_one_budget_whichever_worker_answers(several):
    server = several(RATE_LIMIT_DEFAULT=f"{LIMIT} per hour", RATE_LIMIT_BURST="1000 per second")
    used = []

    def attempt(_number):
        used.append(next(addresses))
        before = server.log.count("limits_not_shared")
        answers = many(server, used[-1])
        if server.log.count("limits_not_shared") > before:  # on a machine this busy, a worker counts by itself
            return []
        assert sorted(answer.status for answer in answers) == [200] * LIMIT + [429] * (MANY - LIMIT)
        return answers

    before = workers_of(by_both(attempt))
    os.kill(server.pid, signal.SIGHUP)
    wait_until(lambda: not before & {str(pid) for pid in server.workers()}, "the old workers did not end")
    assert {answer.status for answer in many(server, used[-1])} == {429}


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

    def attempt(number):
        since = time.monotonic()
        answers = at_once(lambda n: ask(server, f"/api/ask/{number}-{n}"), range(30))
        assert time.monotonic() - since >= 29 / 20 - CATCH_UP_SECONDS
        return answers

    assert {answer.status for answer in by_both(attempt)} == {200}


def test_calls_of_both_workers_have_one_limit(several, fake_upstream):
    upstream = fake_upstream(latency=0.1)
    server = several(UPSTREAM_BASE_URL=upstream.base_url, UPSTREAM_MAX_CONCURRENT_REQUESTS="4")
    answers = by_both(lambda number: at_once(lambda n: ask(server, f"/api/ask/{number}-{n}"), range(40)))
    assert {answer.status for answer in answers} == {200}
    assert upstream.stats()["max_in_flight"] == 4


def test_a_pause_that_one_worker_was_told_holds_for_the_other(several, fake_upstream):
    upstream = fake_upstream()
    server = several(UPSTREAM_BASE_URL=upstream.base_url)

    def attempt(number):
        seen = len(upstream.stats()["starts"])
        with ThreadPoolExecutor(1) as pool:
            told = pool.submit(ask, server, f"/api/ask/%5B429%5D-{number}")
            wait_until(lambda: paused(server) or len(upstream.stats()["starts"]) > seen + 1, "there was no pause")
            answers = at_once(lambda n: ask(server, f"/api/ask/{number}-{n}"), range(20))
        first, *others = sorted(upstream.stats()["starts"][seen:])
        assert others[0] - first >= 1 - CATCH_UP_SECONDS  # as its Retry-After says
        return [told.result(), *answers]

    answers = by_both(attempt)
    assert {answer.status for answer in answers} == {200}


def paused(server):
    return ask(server, "/api/calls").json["paused_seconds"] > 0
