"""Reads streamed answers to their ends, good and bad."""

from typing import Any

from chassis.upstream import Completion, UpstreamClient, UpstreamError


def received(client: UpstreamClient, *asked: Any, **options: Any) -> tuple[list[str], Completion]:
    """Return the texts of all parts, and the whole answer."""
    texts: list[str] = []
    for part in client.stream(*asked, **options):
        texts.append(part.text)
    assert part.done is not None
    return texts[:-1], part.done


def failed(client: UpstreamClient, *asked: Any, **options: Any) -> tuple[list[str], UpstreamError]:
    """Return the texts that came, and the error after them."""
    texts: list[str] = []
    try:
        for part in client.stream(*asked, **options):
            texts.append(part.text)
    except UpstreamError as error:
        return texts, error
    raise AssertionError(f"it succeeded: {texts}")
