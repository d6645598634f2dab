"""A streamed answer may come in pieces of several MB: packing one of them holds up nobody."""

import secrets
import time

import pytest

from chassis.base.compression import ENCODINGS, packer
from chassis.tests.security.attack.ceiling.limits import HOLD_MS
from chassis.web import compressing

PIECE = secrets.token_hex(4_000_000).encode()  # 8 MB that are not easily packed


class Watched:
    """Turns that note how long each piece of work took."""

    longest = last = 0.0

    def give(self):
        now = time.thread_time()
        Watched.longest, Watched.last = max(Watched.longest, now - Watched.last), now


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_a_large_piece_is_packed_in_turns(monkeypatch, encoding):
    monkeypatch.setattr(compressing, "Turns", Watched)
    answer = compressing._Stream([PIECE], packer(encoding), None)
    Watched.longest, Watched.last = 0.0, time.thread_time()
    assert sum(map(len, answer)) > len(PIECE) / 4
    assert max(Watched.longest, time.thread_time() - Watched.last) * 1000 < HOLD_MS
