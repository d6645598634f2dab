"""Bounds what surrounds a request's content, in every mode: its head, its trailers, and the frames of its chunks.

gunicorn takes heads and trailers of 819 kB, which cost 140 ms of processor time and 20 MB, and a chunk for each byte of
a body, which cost a quarter of a second, from anybody and at any address. `for_gunicorn` checks that it fits, before it
imports this.
"""

from typing import Any

from gunicorn.http import message
from gunicorn.http.body import ChunkedReader
from gunicorn.http.errors import InvalidChunkSize

HEAD_BYTES = 65_536  # nginx takes 32 kB
FRAME_BYTES, OF_BODY = 16_384, 8  # sizes, extensions and line ends of chunks: so many, and an eighth of the body


class Chunks(ChunkedReader):  # type: ignore[misc]
    """Refuses chunks that are mostly frame."""

    def __init__(self, req: Any, unreader: Any) -> None:
        self._counted, self._body = _Counted(unreader), 0
        super().__init__(req, self._counted)

    def parse_chunk_size(self, unreader: Any, data: bytes | None = None) -> tuple[int, bytes | None]:
        """Return the next chunk's size and what came behind; raise InvalidChunkSize when there is too much of that."""
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
    """Bound every request from now on."""
    message.ChunkedReader = Chunks
    message.Message.max_buffer_headers = property(lambda _message: HEAD_BYTES, _ignore)


def _ignore(_message: Any, _bytes: int) -> None:
    """gunicorn sets what its own settings allow."""
