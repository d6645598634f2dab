"""Compresses answers as the client asks; chassis/docs/security.md says which answers stay as they are, and why."""

from collections.abc import Iterable, Iterator
from typing import Any

from flask import Response, request

from chassis.base.compression import Packer, chosen, packer
from chassis.base.concurrency import Turns

SMALLEST_BYTES = 1_000  # below, the headers and the work outweigh what is saved
PIECE_BYTES = 32_768  # before other threads get a turn
COMPRESSIBLE = frozenset(
    {
        "application/javascript",
        "application/json",
        "application/x-ndjson",
        "image/svg+xml",
        "text/css",
        "text/csv",
        "text/html",
        "text/javascript",
        "text/plain",
        "text/tab-separated-values",
    }
)
AS_IT_IS = ("no-store", "no-transform")


def compressed(response: Response) -> Response:
    """Return the response, compressed if that is worth while and safe."""
    body: Any = response.response
    if type(body) is list and sum(map(len, body)) < SMALLEST_BYTES:
        return response  # most answers: this must cost nothing
    if not _is_compressible(response):
        return response
    response.vary.add("Accept-Encoding")
    environ = request.environ
    encoding = chosen(environ.get("HTTP_ACCEPT_ENCODING", ""))
    if encoding is None or environ.get("HTTP_SEC_FETCH_SITE") == "cross-site":
        return response
    if response.is_streamed:
        response.response = _Stream(response.iter_encoded(), packer(encoding), body)
        response.headers.pop("Content-Length", None)
    else:
        response.set_data(whole(response.get_data(), encoding))
    response.headers["Content-Encoding"] = encoding
    tag, weak = response.get_etag()
    if tag is not None and not weak:
        response.set_etag(tag, weak=True)
    return response


def _is_compressible(response: Response) -> bool:
    """Return whether no view, and nothing in the response, forbids it; a view that shows a secret says no-store."""
    headers = response.headers
    if response.direct_passthrough or response.status_code in (204, 206, 304) or "Content-Encoding" in headers:
        return False
    kind = headers.get("Content-Type", "").partition(";")[0].strip()
    rules = headers.get("Cache-Control", "")
    return kind in COMPRESSIBLE and "Content-Range" not in headers and not any(rule in rules for rule in AS_IT_IS)


def whole(data: bytes, encoding: str, *, small: bool = False) -> bytes:
    """Return the data compressed, with turns for other threads in between; `small` is for data that stays."""
    made, turns, pieces = packer(encoding, small=small), Turns(), []
    for at in range(0, len(data), PIECE_BYTES):
        pieces.append(made.add(data[at : at + PIECE_BYTES]))
        turns.give()
    return b"".join([*pieces, made.end()])


class _Stream(Iterator[bytes]):
    """The pieces of a streamed answer, each of which can be read when it arrives."""

    def __init__(self, pieces: Iterable[bytes], made: Packer, source: Any) -> None:
        self._pieces, self._packer, self._source, self._ended = iter(pieces), made, source, False
        self._turns = Turns()

    def __next__(self) -> bytes:
        while not self._ended:
            piece = next(self._pieces, None)
            self._ended = piece is None
            packed = self._packer.end() if piece is None else self._packed(piece)
            if packed:
                return packed
        raise StopIteration

    def _packed(self, piece: bytes) -> bytes:
        """Return a piece compressed, with turns for other threads in between: a producer may yield several MB."""
        found = []
        for at in range(0, len(piece), PIECE_BYTES):
            found.append(self._packer.add(piece[at : at + PIECE_BYTES]))
            self._turns.give()
        return b"".join([*found, self._packer.flush()])

    def close(self) -> None:
        """Close the producer of the pieces."""
        if close := getattr(self._source, "close", None):
            close()
