"""The built-in embedding: a vector of the words of a text, made without a model."""

import math
from collections import Counter
from collections.abc import Iterable
from hashlib import blake2b

from chassis.base.concurrency import Turns
from chassis.search.words import words_of

BUILT_IN = "built-in"
"""The name of this embedding, where others have that of a model."""
DIMENSIONS = 1024
STEM_CHARACTERS = 5


def embedded(texts: Iterable[str]) -> list[list[float]]:
    """Return a vector of the words of each text and their beginnings: similar texts have similar vectors.

    It knows no meaning, needs no model, and is the same on every machine. A vector has 1,024 numbers.
    """
    turns, vectors = Turns(), []
    for text in texts:
        vectors.append(_embedded(text))
        turns.give()
    return vectors


def _embedded(text: str) -> list[float]:
    features = Counter(feature for word in words_of(text) for feature in (word, f"{word[:STEM_CHARACTERS]}*"))
    vector = [0.0] * DIMENSIONS
    for feature, count in features.items():
        hashed = int.from_bytes(blake2b(feature.encode(errors="replace"), digest_size=8).digest(), "big")
        vector[hashed % DIMENSIONS] += (1 + math.log(count)) * (1 if hashed >> 63 else -1)
    return vector
