"""Has texts embedded by the outside API: each becomes a vector, for a search by meaning."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from chassis.upstream.answers import good_body
from chassis.upstream.calls import size
from chassis.upstream.errors import UpstreamError
from chassis.upstream.sending import Setup, send_body
from chassis.upstream.usage import Usage, usage_in
from chassis.upstream.waiting import Check

LARGEST = 3.4e38  # of 32 bits, in which vectors are stored; NaN is not below it


@dataclass(frozen=True, slots=True)
class EmbeddingCall:
    """The texts of a call, and the model that embeds them."""

    texts: Sequence[str]
    model: str

    index = True
    output_tokens = None

    @property
    def input_bytes(self) -> int:
        """The size of the texts."""
        return sum(map(size, self.texts))


@dataclass(frozen=True, slots=True)
class Embedded:
    """A vector of each text, and the tokens that they took."""

    vectors: list[list[float]]
    usage: Usage


def embed(setup: Setup, call: EmbeddingCall, cancelled: Check) -> Embedded:
    """Return the vectors of one attempt; raise UpstreamError, or Cancelled soon after `cancelled()` turns true."""
    body = {"model": call.model, "input": list(call.texts), "encoding_format": "float"}
    reply = send_body(replace(setup, url=setup.embeddings_url), body, cancelled)
    found = good_body(reply, setup.key)
    vectors = _vectors(found, len(call.texts))
    if vectors is None:
        raise UpstreamError("upstream_malformed", "The outside API returned no usable vector for each text.")
    return Embedded(vectors, usage_in(found))


def _vectors(body: Any, number: int) -> list[list[float]] | None:
    """Return the vectors in the order of the texts, or None unless there is one for each, all of one length."""
    data = body.get("data") if isinstance(body, dict) else None
    items = [item for item in data if isinstance(item, dict)] if isinstance(data, list) else []
    places = [item["index"] if type(item.get("index")) is int else at for at, item in enumerate(items)]
    placed = dict(zip(places, (_floats(item.get("embedding")) for item in items), strict=True))
    vectors = [placed.get(place) or [] for place in range(number)]
    lengths = {len(vector) for vector in vectors}
    return vectors if len(lengths) == 1 and lengths != {0} else None


def _floats(found: Any) -> list[float] | None:
    if not isinstance(found, list):
        return None
    good = all(type(value) in (int, float) and abs(value) <= LARGEST for value in found)
    return [float(value) for value in found] if good else None
