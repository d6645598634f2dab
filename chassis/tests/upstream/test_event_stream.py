"""Server-sent events are the same however their bytes arrive, and bounded."""

import itertools
import random

import pytest

from chassis.upstream.event_stream import Event, EventReader, TooLong, begins_events

STREAM = (
    b"\xef\xbb\xbf: a comment\r\ndata: one\r\n\r\n"
    b"event: error\rdata: two\rdata:three\r\r"
    b"data\nid: 7\n\n"
    b"event: ping\n\n"
    + "data: 細菌 🦠\n\n".encode()
    + b"data: bad \xff\n\nretry: 3\nunknown: x\ndata:  two blanks\n\ndata: cut off"
)
EVENTS = [
    Event("message", "one"),
    Event("error", "two\nthree"),
    Event("message", ""),
    Event("message", "細菌 🦠"),
    Event("message", "bad �"),
    Event("message", " two blanks"),
]


def read(pieces, most=1_000):
    reader = EventReader(most)
    return [event for piece in pieces for event in reader.feed(piece)]


def cut(places):
    ends = sorted({0, *places, len(STREAM)})
    return [STREAM[first:last] for first, last in itertools.pairwise(ends)]


def test_in_one_piece_and_byte_by_byte():
    assert read([STREAM]) == EVENTS
    assert read(cut(range(len(STREAM)))) == EVENTS


@pytest.mark.parametrize("seed", range(200))
def test_in_any_pieces(seed):
    chance = random.Random(seed)
    assert read(cut(chance.sample(range(len(STREAM)), 9))) == EVENTS


@pytest.mark.parametrize("endless", [b"x" * 50, b"data: x\n", b": comment\n", b"data: "])
def test_an_event_without_end_is_refused(endless):
    with pytest.raises(TooLong):
        read([endless] * 1_000)


def test_many_events_are_no_long_one():
    assert len(read([b"data: " + b"x" * 900 + b"\n\n"] * 100)) == 100


@pytest.mark.parametrize("start", [b"data: x", b": hello", b"\n\ndata:", b"\xef\xbb\xbfevent: a", b"id: 1", b"data\n"])
def test_a_stream_is_known_by_its_beginning(start):
    assert begins_events(start)


@pytest.mark.parametrize("start", [b"", b"{}", b"<html>", b"database", b"[1]", b"error"])
def test_other_bodies_are_none(start):
    assert not begins_events(start)
