"""Sessions of two workers on one port, and a connection that is kept for both."""

import http.client
from pathlib import Path

from chassis.tests.conftest import gunicorn
from chassis.tests.patience import LIMIT_SECONDS, wait_until

MATRIX = gunicorn(Path(__file__).parent, "matrix_app:app")
ALL = {"SOCKET_MAX_UNJOINED_PER_ADDRESS": "0", "RATE_LIMIT_DEFAULT": "1000000 per hour", "RATE_LIMIT_BURST": ""}
POLL = "/socket.io/?EIO=4&transport=polling"


class Kept:
    """One connection that is kept alive."""

    def __init__(self, server):
        self.connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=LIMIT_SECONDS)

    def ask(self, path, body=None):
        self.connection.request("POST" if body else "GET", path, body)
        answer = self.connection.getresponse()
        return answer.status, answer.read().decode()

    def open(self):
        status, text = self.ask(POLL)
        assert status == 200, text
        return text.partition('"sid":"')[2].partition('"')[0]

    def session(self):
        """Return the id of a new session that has joined the namespace."""
        sid = self.open()
        assert self.ask(f"{POLL}&sid={sid}", "40") == (200, "ok")
        assert '40{"sid"' in self.ask(f"{POLL}&sid={sid}")[1]
        return sid


def worker_of(sid):
    return int(sid.partition(".")[0])


def one_of_each(server, make=None):
    """Return the ids of sessions of two different workers."""
    found = {}

    def both():
        sid = (make or Kept(server).open)()
        found.setdefault(worker_of(sid), sid)
        return len(found) == 2

    wait_until(both, "one worker takes all sessions")
    return list(found.values())


def echoed(connection, sid, word):
    """Send an event in a session and return what its polls get."""
    assert connection.ask(f"{POLL}&sid={sid}", f'42["echo","{word}"]') == (200, "ok")
    return wait_until(lambda: connection.ask(f"{POLL}&sid={sid}")[1])
