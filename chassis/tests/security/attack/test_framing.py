"""Requests and messages that are mostly frame: chunks of a byte, long extensions, fragments and packets of nothing."""

import itertools
import json
from types import SimpleNamespace

import pytest
from gunicorn.http.errors import InvalidChunkSize
from gunicorn.http.unreader import IterUnreader

from chassis.base import jsontext
from chassis.server import frame_reader, frames, packets
from chassis.server.patches.framing import FRAME_BYTES, Chunks

LAST = b"0\r\n\r\n"
PIECE = 8_192  # what gunicorn reads at once


def read(sent: bytes) -> bytes:
    pieces = (sent[first : first + PIECE] for first in range(0, len(sent), PIECE))
    body = Chunks(SimpleNamespace(), IterUnreader(pieces))
    return b"".join(iter(lambda: body.read(65_536), b""))


def chunks(size: int, extension: bytes = b"") -> bytes:
    return b"%x%b\r\n%b\r\n" % (size, extension, b"a" * size)


@pytest.mark.parametrize(
    "sent",
    [chunks(1) * 65_000, chunks(1, b";" + b"a" * 4_000) * 10, chunks(1, b';a="' + b'\\"' * 2_000 + b'"') * 10],
    ids=["of a byte", "with long extensions", "with quoted extensions"],
)
def test_chunks_that_are_mostly_frame_are_refused(sent):
    with pytest.raises(InvalidChunkSize):
        read(sent + LAST)


@pytest.mark.parametrize(
    ("size", "times"), [(1, FRAME_BYTES // 6), (48, 20_000), (8_192, 100), (1_000_000, 2), (100, 1)]
)
def test_other_chunks_are_read(size, times):
    assert len(read(chunks(size) * times + LAST)) == size * times


def test_chunks_without_an_end_are_read_up_to_the_limit():
    served = itertools.count()
    unreader = IterUnreader(chunks(1) * 1_000 for _ in served)
    with pytest.raises(InvalidChunkSize):
        Chunks(SimpleNamespace(), unreader).read(1_000_000)
    assert next(served) < 10


def test_a_message_has_a_number_of_fragments():
    reader = frame_reader.FrameReader(1_000)
    empty = b"\x00\x80aaaa"
    list(reader.feed(b"\x01\x80aaaa" + empty * (frame_reader.MAX_FRAGMENTS - 1)))
    with pytest.raises(frames.ProtocolError, match="fragments"):
        list(reader.feed(empty))


def test_a_long_poll_has_a_number_of_packets():
    assert len(packets.unpack_payload("\x1e".join(["3"] * packets.MAX_TOGETHER))) == packets.MAX_TOGETHER
    with pytest.raises(ValueError, match="packets at once"):
        packets.unpack_payload("\x1e".join(["3"] * (packets.MAX_TOGETHER + 1)))


@pytest.mark.parametrize("part", ["[],", "{},"])
def test_a_message_that_would_become_many_lists_and_objects_is_not_built(part):
    most = jsontext.MAX_BRACKETS
    for text in (f"[{part * most}1]", "[" + part * 300_000):
        with pytest.raises(ValueError, match="more than 50,000"):
            packets.decode(f'2["a",{text}]')
        with pytest.raises(ValueError, match="more than 50,000"):
            jsontext.loads(text)
    assert len(packets.decode(f'2["a",{part * (most - 2)}1]').data) == most
    assert jsontext.loads(json.dumps({"a": [1]})) == {"a": [1]}
