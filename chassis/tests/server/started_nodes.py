"""A node's line to the others, with what it got and what it told."""

import threading

from chassis.server.nodes.line import Line
from chassis.server.nodes.watch import Watch


class Seen(Watch):
    """Remembers what a node tells."""

    def __init__(self):
        self.is_up, self.late_ones, self.lost_ones, self.gone_ones = False, 0, 0, 0

    def up(self):
        self.is_up = True

    def down(self, reason):
        self.is_up, self.reason = False, reason

    def late(self, count):
        self.late_ones += count

    def lost(self, count):
        self.lost_ones += count

    def gone(self):
        self.gone_ones += 1


def started(url, name, channel="service"):
    """Return a node's line, which sends and reads; `got` has the messages of the others."""
    got = []
    one = Line(url, channel, name, got.append)
    one.got, one.watch = got, Seen()
    for work in (one.send, one.read):
        threading.Thread(target=work, daemon=True).start()
    return one
