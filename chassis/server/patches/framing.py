"""Limits the overhead of a request in every mode: its head, its trailers, and the framing of its chunks.

gunicorn accepts heads and trailers of 819 kB, which cost 140 ms of processor time and 20 MB, and a chunk for each byte
of a body, which costs a quarter of a second; any client can send them, to any URL. `for_gunicorn` checks that gunicorn
fits before it imports this module.
"""

from typing import Any

from gunicorn.http import message
from gunicorn.http.body import ChunkedReader
from gunicorn.http.errors import InvalidChunkSize

HEAD_BYTES = 65_536  # nginx accepts 32 kB
FRAME_BYTES, OF_BODY = 16_384, 8  # sizes, extensions and line ends of chunks: this much, plus an eighth of the body


class Chunks(ChunkedReader):  # type: ignore[misc]
    """Refuses bodies whose chunks are mostly framing."""

    def __init__(self, req: Any, unreader: Any) -> None:
        self._counted, self._body = _Counted(unreader), 0
        super().__init__(req, self._counted)

    def parse_chunk_size(self, unreader: Any, data: bytes | None = None) -> tuple[int, bytes | None]:
        """Return the next chunk's size and the bytes that followed; raise InvalidChunkSize for too much framing."""
        size, rest = super().parse_chunk_size(unreader, data)
        frames = self._counted.bytes - len(rest or b"") - self._body
        if frames > FRAME_BYTES + self._body // OF_BODY:
            raise InvalidChunkSize(b"%d bytes of frames" % frames)
        self._body += size
        return size, rest


class _Counted:
    def __init__(self, unreader: Any) -> None:
        self._unreader, self.bytes = unreader, 0

    def read(self, size: int | None = None, read_ahead: int | None = None) -> bytes:
        data: bytes = self._unreader.read(size, read_ahead)
        self.bytes += len(data)
        return data

    def __getattr__(self, name: str) -> Any:
        return getattr(self._unreader, name)


def bound() -> None:
    """Limit all requests from now on."""
    message.ChunkedReader = Chunks
    message.Message.max_buffer_headers = property(lambda _message: HEAD_BYTES, _ignore)


def _ignore(_message: Any, _bytes: int) -> None:
    """Ignore the value, which gunicorn derives from its own settings."""
