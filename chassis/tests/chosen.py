"""Connections to a worker of the test's choice: an idle one may accept all, so the others stand still meanwhile."""

import contextlib
import http.client
import os
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from chassis.tests.patience import LIMIT_SECONDS, wait_until
from chassis.tests.servers import Server

LISTENS = "0A"


def waiting(port: int) -> int:
    """Return how many connections no worker has accepted yet."""
    rows = [line.split() for table in ("tcp", "tcp6") for line in Path("/proc/net", table).read_text().splitlines()[1:]]
    listening = [row for row in rows if row[3] == LISTENS and int(row[1].rpartition(":")[2], 16) == port]
    return sum(int(row[4].partition(":")[2], 16) for row in listening)


@contextlib.contextmanager
def only(server: Server, pid: int) -> Iterator[None]:
    """Let one worker alone accept the connections of the block."""
    others = [other for other in server.workers() if other != pid]
    for other in others:
        os.kill(other, signal.SIGSTOP)
    try:
        yield
        wait_until(lambda: waiting(server.port) == 0, "the worker did not accept its connections")
    finally:
        for other in others:
            os.kill(other, signal.SIGCONT)


def line(server: Server) -> http.client.HTTPConnection:
    """Return an open connection, over which nothing was sent."""
    one = http.client.HTTPConnection("127.0.0.1", server.port, timeout=LIMIT_SECONDS)
    one.connect()
    return one


def lines_of_all(server: Server, many: int, sent: bytes = b"") -> list[http.client.HTTPConnection]:
    """Return that many open connections, of which each worker has accepted as many, and over which this was sent.

    What is sent later may come too late: the server's limit for a request's head begins when it accepts.
    """
    workers, lines = server.workers(), []
    for number, pid in enumerate(workers):
        with only(server, pid):
            for _ in range(number, many, len(workers)):
                lines.append(line(server))
                lines[-1].sock.sendall(sent)
    return lines


def at_once(function, arguments):
    """Call the function with each argument at the same time; return what it returned."""
    arguments = list(arguments)
    with ThreadPoolExecutor(len(arguments)) as pool:
        return list(pool.map(function, arguments))


def workers_of(answers):
    """Return which processes gave answers of an application that `named_workers.py` made."""
    return {answer.headers["X-Worker"] for answer in answers}
