"""Clients that poll a service of several workers all the time, each over one connection, and count what they get."""

import contextlib
import http.client
import threading
from collections import Counter

from chassis.tests.patience import wait_until
from chassis.tests.server.several import POLL, Kept


class Poller(threading.Thread):
    """Echoes one word after the other; begins a new session when its own is unknown."""

    def __init__(self, server):
        super().__init__(daemon=True)
        self.server, self.ends = server, False
        self.echoes, self.sessions, self.resets, self.wrong, self.statuses = 0, 0, 0, 0, Counter()
        self.start()

    def run(self):
        while not self.ends:
            try:
                self._session(Kept(self.server))
            except (OSError, http.client.HTTPException):
                self.resets += 1

    def _session(self, kept):
        sid = self._sid(kept)
        while sid and not self.ends:
            word = f"{self.name} {self.echoes}"
            if not self._ask(kept, sid, f'42["echo","{word}"]') or not self._read(kept, sid, f'42["echo","{word}"]'):
                return
            self.echoes += 1

    def _sid(self, kept):
        status, text = kept.ask(POLL)
        self.statuses[status] += 1
        sid = text.partition('"sid":"')[2].partition('"')[0]
        if not (sid and self._ask(kept, sid, "40") and self._read(kept, sid, '40{"sid"')):
            return None
        self.sessions += 1
        return sid

    def _ask(self, kept, sid, body=None):
        status, text = kept.ask(f"{POLL}&sid={sid}", body)
        self.statuses[status] += 1
        return status == 200 and text

    def _read(self, kept, sid, wanted):
        """Poll until what is wanted comes; return False at the end of the session."""
        while text := self._ask(kept, sid):
            packets = text.split("\x1e")
            if any(packet.startswith(wanted) for packet in packets):
                return True
            self.wrong += sum(packet.startswith("42") for packet in packets)
            if "1" in packets:  # the session is closed
                return False
        return False


@contextlib.contextmanager
def polling(server, number):
    """Run pollers; they are ended after the block."""
    pollers = [Poller(server) for _ in range(number)]
    try:
        all_go_on(pollers)
        yield pollers
    finally:
        for one in pollers:
            one.ends = True
        for one in pollers:
            one.join()


def all_go_on(pollers, times=3):
    """Wait until each poller has got some more answers."""
    before = [one.echoes for one in pollers]
    wait_until(
        lambda: all(one.echoes >= then + times for one, then in zip(pollers, before, strict=True)), "a poller hangs"
    )


def statuses(pollers):
    """Return how often each status was answered."""
    return sum((one.statuses for one in pollers), Counter())
