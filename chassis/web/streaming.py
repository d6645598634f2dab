"""Streamed responses yield to other threads between their pieces; large responses of either kind are compressed."""

from collections.abc import Iterable, Iterator
from typing import Any

from flask import Flask, Response

from chassis.base.concurrency import Turns
from chassis.web.compressing import compressed

PIECE_CHARACTERS = 16_000


def install(app: Flask) -> None:
    """Yield to other threads between the pieces of every streamed response, since its producer may never wait."""
    app.after_request(_finished)


def joined(texts: Iterable[str]) -> Iterator[str]:
    """Join short texts to pieces of about 16,000 characters; do not use it for texts that must arrive at once."""
    held: list[str] = []
    size, turns = 0, Turns()
    for text in texts:
        held.append(text)
        size += len(text)
        if size >= PIECE_CHARACTERS:
            yield "".join(held)
            held, size = [], 0
        turns.give()
    if held:
        yield "".join(held)


def _finished(response: Response) -> Response:
    if response.is_streamed:
        response.response = _Taking(response.response)
    return compressed(response)


class _Taking(Iterator[Any]):
    """The pieces of a response, with a turn for other threads before each."""

    def __init__(self, pieces: Iterable[Any]) -> None:
        self._pieces, self._iterator, self._turns = pieces, iter(pieces), Turns()

    def __next__(self) -> Any:
        self._turns.give()
        return next(self._iterator)

    def close(self) -> None:
        """Close the producer of the pieces."""
        if close := getattr(self._pieces, "close", None):
            close()
